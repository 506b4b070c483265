//! The pages in a real browser: GraphiQL, Swagger UI and the landing page of the real program, as a person uses them.
//!
//! The steps are in `tests/browser`. What they need (Node.js, Chromium, the npm packages, the built pages) is installed
//! and built by `make test`; without it this test fails and says so, for pages that nobody has opened are not tested.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::program::Place;

const EMAIL: &str = "browser@example.com";
const PASSWORD: &str = "four tall windows open";

#[test]
fn the_pages_work_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let browser = env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    for (path, what) in [
        (folder.join("web/dist/graphiql.html"), "the pages are not built"),
        (folder.join("tests/browser/node_modules/playwright-core"), "the npm packages of tests/browser are missing"),
        (browser, "Chromium is missing"),
    ] {
        assert!(path.exists(), "{what} ({}): run `make test`, which sees to it", path.display());
    }

    let place = Place::empty();
    place.succeeds(&["migrate", "up"]);
    place.succeeds_with(&["user", "create", "--email", EMAIL, "--password-stdin"], PASSWORD);
    let server = place.serve();
    let node = Command::new("node")
        .arg(folder.join("tests/browser/pages.mjs"))
        .args([server.base.as_str(), EMAIL, PASSWORD])
        // What the pages looked like, for people.
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots"))
        .output()
        .unwrap_or_else(|error| {
            panic!("Node.js cannot be started ({error}): run `make test`, which says what is missing")
        });
    let (out, err) = (String::from_utf8_lossy(&node.stdout), String::from_utf8_lossy(&node.stderr));
    let passed = out.lines().last().and_then(|line| line.strip_suffix(" passed, 0 failed"));
    let passed: usize = passed.and_then(|number| number.parse().ok()).unwrap_or_default();
    assert!(node.status.success() && passed >= 16, "{out}\n{err}\n{}", server.log());
}
