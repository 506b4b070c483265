//! The OpenAPI document: where it is, and as what it comes.

use crate::support::{Caller::*, Server, on_both};

async fn accepting(server: &Server, path: &str, accept: &str) -> (String, String) {
    let request = server.request(Anonymous, "GET", path).header("accept", accept);
    let answer = server.send(request).await.expect(200);
    assert_eq!(answer.header("vary"), "Accept", "{accept}");
    let first = answer.text.trim_start().get(..1).unwrap_or_default().to_owned();
    (answer.header("content-type").to_owned(), first)
}

#[tokio::test]
async fn it_comes_as_what_is_asked_for() {
    const JSON: &str = "application/json; charset=utf-8";
    const OPENAPI: &str = "application/openapi+json; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    on_both(async |server| {
        for (accept, at_root, at_its_path) in [
            ("*/*", JSON, JSON),
            ("application/json", JSON, JSON),
            ("application/openapi+json", OPENAPI, OPENAPI),
            ("Application/OpenAPI+JSON, application/json;q=0.5", OPENAPI, OPENAPI),
            ("application/openapi+json;q=0.2, application/json", JSON, JSON),
            (BROWSER, HTML, JSON),
            ("application/openapi+json, text/html;q=0.1", OPENAPI, OPENAPI),
            ("application/json;q=0.1, text/html", HTML, JSON),
            ("text/html;q=0", JSON, JSON),
            ("image/png", JSON, JSON),
        ] {
            let (media, first) = accepting(server, "/", accept).await;
            assert_eq!(media, at_root, "/ with {accept}");
            assert_eq!(first, if at_root == HTML { "<" } else { "{" });
            assert_eq!(accepting(server, "/openapi.json", accept).await.0, at_its_path, "{accept}");
        }
    })
    .await;
}

#[tokio::test]
async fn it_tells_of_every_resource_alike_and_of_no_hidden_column() {
    on_both(async |server| {
        let document = server.get(Anonymous, "/openapi.json").await.expect(200);
        for secret in ["password_hash", "credentials"] {
            assert!(!document.text.contains(secret), "{secret}");
        }
        let document = document.json();
        let paths = document["paths"].as_object().expect("paths");
        for name in ["trees", "users", "expenses", "budgets"] {
            let of = |path: String| paths[&path].as_object().expect("operations").keys().cloned().collect::<Vec<_>>();
            let (collection, item) = (of(format!("/{name}")), of(format!("/{name}/{{id}}")));
            for method in ["get", "head", "options"] {
                assert!(
                    collection.contains(&method.to_owned()) && item.contains(&method.to_owned()),
                    "{method} {name}"
                );
            }
        }
        assert_eq!(server.get(Admin, "/openapi.json").await.expect(200).json(), document);
    })
    .await;
}
