//! The targets, by their names.
//!
//! In: bytes. Out: what the library's own `fuzzing` modules make of them. Where a target has several parts, they stand one
//! a line or with a NUL between; where it has variants, the first byte chooses.

use crate::{server, species};
use axum::http::HeaderValue;
use rootstock::{
    auth,
    catalog::{Catalog, Resource, scalar::Input},
    config::Config,
    engine::{self, database},
    graphql::fuzzing::Operations,
    rest::fuzzing as rest,
};
use std::{net::IpAddr, sync::LazyLock};

/// What runs an input.
type Target = fn(&[u8]);

/// All of them.
const TARGETS: [(&str, Target); 26] = [
    ("auth_claims", auth_claims),
    ("auth_credentials", auth::fuzzing::credentials),
    ("auth_forwarded", auth_forwarded),
    ("auth_token", auth_token),
    ("casts", |bytes| text(bytes, database::fuzzing::casts)),
    ("cursors", cursors),
    ("graphql_document", graphql_document),
    ("graphql_variables", graphql_variables),
    ("http", server::request),
    ("json_paths", |bytes| two(bytes, database::fuzzing::json_path)),
    ("like", |bytes| two(bytes, database::fuzzing::like)),
    ("patterns", |bytes| text(bytes, engine::fuzzing::pattern)),
    ("paths", |bytes| text(bytes, engine::fuzzing::path)),
    ("rest_body", rest_body),
    ("rest_filter", |bytes| parameter(bytes, "name")),
    ("rest_form", |bytes| text(bytes, rest::form)),
    ("rest_headers", |bytes| header(bytes, rest::header)),
    ("rest_logic", |bytes| parameter(bytes, "and")),
    ("rest_order", |bytes| parameter(bytes, "order")),
    ("rest_prefer", |bytes| header(bytes, rest::prefer)),
    ("rest_query", rest_query),
    ("rest_range", rest_range),
    ("rest_select", |bytes| parameter(bytes, "select")),
    ("rest_tags", |bytes| header(bytes, rest::tags)),
    ("searches", |bytes| two(bytes, engine::fuzzing::search)),
    ("values", values),
];

/// The target that `FUZZ_TARGET` names. Without a good name, those are told that there are.
pub(crate) fn chosen() -> Target {
    static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(target, _)| *target == name);
        found.map(|(_, target)| *target).unwrap_or_else(|| {
            TARGETS.iter().for_each(|(name, _)| println!("{name}"));
            std::process::exit(i32::from(!name.is_empty()));
        })
    });
    *CHOSEN
}

/// The shipped resources, and one that has every type of column.
pub(crate) fn catalog() -> Catalog {
    rootstock::entities::resources().add::<species::Entity>().build().expect("a catalogue")
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(catalog);

static CONFIG: LazyLock<Config> = LazyLock::new(|| Config::for_tests("sqlite::memory:").expect("a configuration"));

static OPERATIONS: LazyLock<Operations> =
    LazyLock::new(|| Operations::new(catalog(), CONFIG.limits.clone()).expect("a schema"));

/// Operations whose variables are of every type of input.
const DOCUMENTS: [&str; 9] = [
    "query ($f: TreeFilter, $o: [TreeOrderBy!], $n: Int, $a: String) {
        trees(filter: $f, orderBy: $o, first: $n, after: $a) { totalCount nodes { name } pageInfo { endCursor } } }",
    "query ($f: SpeciesFilter, $o: [SpeciesOrderBy!], $n: Int, $b: String, $s: Int) {
        manySpecies(filter: $f, orderBy: $o, last: $n, before: $b, offset: $s) { nodes { name } } }",
    "query ($f: UserFilter) { users(filter: $f) { nodes { expenses(filter: { user: $f }) { totalCount } } } }",
    "query ($by: [ExpenseGroupBy!]!, $h: ExpenseHaving, $o: [ExpenseGroupOrderBy!], $n: Int) {
        expenses { groups(by: $by, having: $h, orderBy: $o, first: $n) { count sum { amount } } } }",
    "query ($n: ID!, $id: ID!, $yes: Boolean!) { node(nodeId: $n) { nodeId } tree(id: $id) @skip(if: $yes) { id } }",
    "mutation ($i: CreateSpeciesInput!, $c: SpeciesOnConflict) { createSpecies(input: $i, onConflict: $c) { id } }",
    "mutation ($i: [CreateExpenseInput!]!) { createExpenses(input: $i) { id } }",
    "mutation ($id: ID!, $s: UpdateSpeciesInput!) { updateSpecies(id: $id, set: $s) { name } }",
    "mutation ($f: ExpenseFilter!, $n: Int!) { deleteExpenses(filter: $f, atMost: $n) { affected } }",
];

fn cursors(bytes: &[u8]) {
    chosen_text(bytes, |choice, text| {
        let count = CATALOG.resources().len();
        engine::fuzzing::cursor(&CATALOG, resource(choice), choice / count, text);
    });
}

fn graphql_document(bytes: &[u8]) {
    two(bytes, |document, variables| {
        OPERATIONS.operation(document, Some(variables).filter(|variables| !variables.is_empty()));
    });
}

fn graphql_variables(bytes: &[u8]) {
    chosen_text(bytes, |choice, variables| {
        OPERATIONS.operation(DOCUMENTS[choice % DOCUMENTS.len()], Some(variables));
    });
}

fn rest_query(bytes: &[u8]) {
    chosen_text(bytes, |choice, query| rest::query(&CATALOG, resource(choice), query));
}

fn parameter(bytes: &[u8], name: &str) {
    chosen_text(bytes, |choice, value| rest::parameter(&CATALOG, resource(choice), name, value));
}

fn rest_body(bytes: &[u8]) {
    if let [choice, kind, body @ ..] = bytes {
        rest::body(&CATALOG, resource(usize::from(*choice)), *kind, body);
    }
}

fn rest_range(bytes: &[u8]) {
    two(bytes, |range, numbers| header(range.as_bytes(), |range| rest::range(range, numbers)));
}

fn auth_token(bytes: &[u8]) {
    text(bytes, |token| auth::fuzzing::token(&CONFIG.auth, token));
}

fn auth_claims(bytes: &[u8]) {
    two(bytes, |header, claims| auth::fuzzing::signed(&CONFIG.auth, header, claims));
}

fn auth_forwarded(bytes: &[u8]) {
    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    header(bytes, |value| {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        auth::fuzzing::forwarded(&networks.into_iter().collect(), PROXY, value);
    });
}

fn values(bytes: &[u8]) {
    let [choice, kind, rest @ ..] = bytes else { return };
    text(rest, |text| {
        let input = match kind % 5 {
            0 => Input::Text(text),
            1 => Input::String(text),
            // The text of a token is one of JSON.
            2 if is_json(text, |first| first == '-' || first.is_ascii_digit()) => Input::Number(text),
            3 if is_json(text, |first| matches!(first, '{' | '[')) => Input::Json(text),
            _ => Input::Bool(text.is_empty()),
        };
        let columns = CATALOG.resources().iter().flat_map(|resource| &resource.columns);
        let columns: Vec<_> = columns.collect();
        engine::fuzzing::value(&columns[usize::from(*choice) % columns.len()].scalar, &input);
    });
}

fn is_json(text: &str, begins: fn(char) -> bool) -> bool {
    text.starts_with(begins) && serde_json::from_str::<serde_json::Value>(text).is_ok()
}

fn resource(choice: usize) -> &'static Resource {
    let resources = CATALOG.resources();
    &resources[choice % resources.len()]
}

/// Bytes that are no text are refused before anything reads them.
fn text(bytes: &[u8], target: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        target(text);
    }
}

fn chosen_text(bytes: &[u8], target: impl FnOnce(usize, &str)) {
    if let [choice, rest @ ..] = bytes {
        text(rest, |text| target(usize::from(*choice), text));
    }
}

fn two(bytes: &[u8], target: impl FnOnce(&str, &str)) {
    text(bytes, |text| {
        let (one, other) = text.split_once('\0').unwrap_or((text, ""));
        target(one, other);
    });
}

fn header(bytes: &[u8], target: impl FnOnce(&HeaderValue)) {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        target(&value);
    }
}
