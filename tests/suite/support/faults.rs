//! Which tests of faults run. In: `ROOTSTOCK_FAULTS=1`, as `make test` and `make faults` set it. Out: whether those run that
//! take longer than a few seconds.

use std::io::Write as _;
use std::sync::Once;
use std::{env, io};

/// What makes them run.
const WANTED: &str = "ROOTSTOCK_FAULTS";

/// Whether a test that takes long shall run; if not, that is said once.
pub(crate) fn long() -> bool {
    if env::var_os(WANTED).is_some_and(|value| value == "1") {
        return true;
    }
    static SAID: Once = Once::new();
    // Past the harness, which keeps what a test prints to itself if the test passes.
    SAID.call_once(|| drop(writeln!(io::stderr(), "long tests of faults are left out: {WANTED}=1 runs them")));
    false
}
