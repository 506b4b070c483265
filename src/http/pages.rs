//! The pages for people: the landing page, GraphiQL and Swagger UI, with the assets that they load.
//!
//! In: a path, and what the browser already has. Out: a file of `web/dist`, under the headers that every page carries.
//! The files are in the binary (a debug build reads them from disk at each request), so no page needs anything from
//! elsewhere. A build without `web/dist` answers the same paths and says how the pages are built.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

/// Everything from this server alone, and no script in the page itself. Styles are the exception: GraphiQL's dialogs
/// put a `style` element into the page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; worker-src 'self' blob:; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// No page of another origin has a handle on the window in which somebody is signed in.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// Of what a browser could let a page do, these pages need nothing.
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\"><title>Not built · Rootstock</title>
<h1>The pages are not built</h1>
<p>This program was compiled without them. <code>make web</code>, or <code>npm ci &amp;&amp; npm run build</code> in
<code>web/</code>, builds them; then compile the program again.</p>
<p>The API itself is complete: <a href=\"/trees\">/trees</a>, <a href=\"/openapi.json\">/openapi.json</a>.</p>
</html>
";

const PLAIN_LANDING: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\"><title>Rootstock</title>
<h1>Rootstock</h1>
<p>Declare a table once; serve it as GraphQL and as REST, on SQLite and PostgreSQL.</p>
<ul>
<li><a href=\"/graphiql\">GraphiQL</a></li>
<li><a href=\"/docs\">REST API</a></li>
<li><a href=\"/trees\">Trees</a></li>
<li><a href=\"/openapi.json\">OpenAPI</a></li>
</ul>
</html>
";

/// `/graphiql`, `/docs` and the assets of all pages. The landing page shares its path with the OpenAPI document, so the
/// router that knows both decides, and calls [`landing`]. A browser asks for a page without a token, so where anonymous
/// callers are not shown the schema there is no `/graphiql` for anybody.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(graphiql: bool) -> Router<S> {
    let routes = Router::new();
    let routes = if graphiql {
        routes.route("/graphiql", get(|headers: HeaderMap| async move { page(Dist::get("graphiql.html"), &headers) }))
    } else {
        routes
    };
    routes.route("/docs", get(|headers: HeaderMap| async move { page(Dist::get("docs.html"), &headers) })).route(
        "/assets/{*path}",
        get(|Path(path): Path<String>| async move { asset(Dist::get(&format!("assets/{path}"))) }),
    )
}

/// The page at `/` for a browser.
pub(super) fn landing() -> Response {
    let vary = [(header::VARY, "Accept")];
    match Dist::get("index.html") {
        Some(file) => (vary, page(Some(file), &HeaderMap::new())).into_response(),
        None => (vary, guarded((StatusCode::OK, Html(PLAIN_LANDING)), "no-cache")).into_response(),
    }
}

/// A page keeps its name from one release to the next: the browser may keep a copy, but asks whether it still holds.
fn page(file: Option<EmbeddedFile>, request: &HeaderMap) -> Response {
    let Some(file) = file else {
        return guarded((StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)), "no-store");
    };
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let known = request.get_all(header::IF_NONE_MATCH).iter().any(|tags| {
        // A proxy that compresses makes the tag a weak one.
        let same = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
        tags.to_str().is_ok_and(|tags| tags.split(',').map(str::trim).any(same))
    });
    let body = if known { StatusCode::NOT_MODIFIED.into_response() } else { content(file) };
    guarded(([(header::ETAG, etag)], body), "no-cache")
}

/// An asset has its hash in its name, so what a browser once has of it holds for ever.
fn asset(file: Option<EmbeddedFile>) -> Response {
    match file {
        Some(file) => guarded(content(file), "public, max-age=31536000, immutable"),
        None => guarded(StatusCode::NOT_FOUND, "no-store"),
    }
}

fn content(file: EmbeddedFile) -> Response {
    // The build writes text alone, and all of it in UTF-8.
    let media_type = format!("{}; charset=utf-8", file.metadata.mimetype());
    ([(header::CONTENT_TYPE, media_type)], file.data).into_response()
}

fn guarded(response: impl IntoResponse, cache_control: &'static str) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (OPENER_POLICY, "same-origin"),
        (PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, cache_control),
    ];
    (headers, response).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that are there whether or not the pages are built.
    #[derive(RustEmbed)]
    #[folder = "web/src"]
    struct Sources;

    fn text<'r>(response: &'r Response, name: &str) -> &'r str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn asking(if_none_match: &str) -> Response {
        let headers = if_none_match.parse().map(|tag| HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]));
        page(Sources::get("index.html"), &headers.unwrap_or_default())
    }

    #[test]
    fn a_page_is_sent_once_and_confirmed_after() {
        let first = asking("");
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(text(&first, "content-type"), "text/html; charset=utf-8");
        assert_eq!(text(&first, "cache-control"), "no-cache");

        let etag = text(&first, "etag");
        for known in [etag.to_owned(), format!("\"old\", W/{etag}"), "*".to_owned()] {
            let again = asking(&known);
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(text(&again, "etag"), etag);
        }
        assert_eq!(asking("\"old\"").status(), StatusCode::OK);
    }

    #[test]
    fn an_asset_is_kept_for_ever_and_a_missing_one_is_not() {
        let script = asset(Sources::get("index.js"));
        assert_eq!(text(&script, "content-type"), "text/javascript; charset=utf-8");
        assert!(text(&script, "cache-control").contains("immutable"));

        let missing = asset(Sources::get("index-0.js"));
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
        assert_eq!(text(&missing, "cache-control"), "no-store");
    }

    #[test]
    fn a_page_that_is_not_built_says_so_and_the_landing_page_stands() {
        let missing = page(None, &HeaderMap::new());
        assert_eq!(missing.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text(&missing, "content-type"), "text/html; charset=utf-8");
        assert_eq!(landing().status(), StatusCode::OK);
        assert_eq!(text(&landing(), "vary"), "Accept");
    }

    #[test]
    fn every_answer_carries_the_policy() {
        let answers = [
            asking(""),
            asking("*"),
            asset(Sources::get("index.js")),
            asset(None),
            page(None, &HeaderMap::new()),
            landing(),
        ];
        for answer in answers {
            assert_eq!(text(&answer, "content-security-policy"), CONTENT_SECURITY_POLICY);
            assert_eq!(text(&answer, "cross-origin-opener-policy"), "same-origin");
            assert_eq!(text(&answer, "x-frame-options"), "DENY");
            assert_eq!(text(&answer, "referrer-policy"), "no-referrer");
        }
    }
}
