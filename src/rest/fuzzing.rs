//! What fuzz targets ask of REST: query strings down to their SQL, headers, bodies. Compiled for them alone, by
//! `cfg(fuzzing)`.
//!
//! In: bytes of a client. Out: nothing, or a panic that says what does not hold.

use super::{
    body::{self, Named, Rows},
    etag::{self, Condition},
    headers::{self, ENCODED},
    idempotency,
    media::Media,
    prefer::{Missing, Preferences},
    query::{asked, conjunction, pairs, parse_list},
    range::Window,
};
use crate::{
    catalog::{Catalog, Resource, scalar::Style},
    engine::{
        bind::Argument,
        fuzzing::{ask, read},
        plan::Bounds,
        request::{
            Action, Columns, Conflict, Create, Envelope, Field, Form, Key, NewRow, OnTaken, Question, Request, Target,
        },
    },
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use percent_encoding::utf8_percent_encode;

/// As many rows as an answer has by default.
const BOUNDS: Bounds = Bounds { default_page: 1_000, max_page: 1_000 };

/// The query string of a read as HTTP lets it through, of a write of what matches, and of the links that the answer would have.
pub fn query(catalog: &Catalog, resource: &Resource, query: &str) {
    let Ok(url) = format!("/?{query}").parse::<Uri>() else { return };
    let query = url.query().unwrap_or_default();
    if let Ok(parsed) = read(|| parse_list(resource, catalog, query, BOUNDS.max_page)) {
        ask(catalog, &parsed.question, &parsed.arguments, Style::Rest, BOUNDS);
        links(catalog, resource, query);
    }
    let Ok(asked) = read(|| asked(resource, catalog, query)) else { return };
    if asked.groups.is_none() {
        let filters: Vec<_> = asked.filter.into_iter().chain(asked.inner).collect();
        let filter = (!filters.is_empty()).then(|| conjunction(filters));
        let target = Target::Matching { filter, order: asked.order, at_most: 10 };
        write(catalog, resource, Action::Delete(target), asked.select, &asked.arguments);
    }
}

/// One parameter of a query string, whatever characters it has.
pub fn parameter(catalog: &Catalog, resource: &Resource, name: &str, value: &str) {
    query(catalog, resource, &format!("{name}={}", utf8_percent_encode(value, ENCODED)));
}

/// Where the answer is found has one spelling, and where the list goes on is read as the list was.
fn links(catalog: &Catalog, resource: &Resource, query: &str) {
    if let Some(found) = headers::location(&resource.name, None, query) {
        let text = found.to_str().unwrap_or_else(|_| panic!("{found:?} is no text"));
        let (_, canonical) = text.split_once('?').unwrap_or_default();
        assert_eq!(headers::location(&resource.name, None, canonical), Some(found.clone()), "spelled again");
        let parsed = parse_list(resource, catalog, canonical, BOUNDS.max_page);
        assert!(parsed.is_ok(), "{canonical} is not read as {query} was: {parsed:?}");
    }
    if let Some(next) = headers::next(&resource.name, query, "abc", Some(7)) {
        let text = next.to_str().unwrap_or_else(|_| panic!("{next:?} is no text"));
        let (_, next) = text.split_once('?').unwrap_or_default();
        let next = next.strip_suffix(">; rel=\"next\"").unwrap_or_else(|| panic!("no link: {text}"));
        let parsed = parse_list(resource, catalog, next, BOUNDS.max_page);
        assert!(parsed.is_ok_and(|parsed| parsed.limit == Some(7) && parsed.cursor.is_some()), "{next}");
    }
}

/// A body in a media type, as the new rows and the changes that it can be. The bits of `kind` choose among them.
pub fn body(catalog: &Catalog, resource: &Resource, kind: u8, bytes: &[u8]) {
    let media = body::MEDIA[usize::from(kind & 3) % body::MEDIA.len()];
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media))]);
    let columns: Vec<String> = resource.column_names().map(str::to_owned).collect();
    let missing = if kind & 4 == 0 { Missing::Null } else { Missing::Default };
    let named = (kind & 8 != 0).then_some(Named { columns: &columns, missing });
    let Ok(rows) = read(|| body::rows(&headers, bytes, named.as_ref())) else { return };
    let (many, rows) = match rows {
        Rows::One(row) => (false, vec![row]),
        Rows::Many(rows) => (true, rows),
    };
    let mut arguments = vec![Argument::Text("1".to_owned())];
    let mut slots: Vec<Columns> = Vec::new();
    for row in rows {
        slots.push((arguments.len()..).zip(&row).map(|(slot, (name, _))| (name.clone(), slot)).collect());
        arguments.extend(row.into_iter().map(|(_, value)| value));
    }
    let action = match (kind >> 4 & 3, slots.first()) {
        (1, Some(row)) => Action::Update(Key::Slot(0).into(), row.clone()),
        (2, Some(row)) => Action::Replace(Key::Slot(0), row.clone()),
        (kind, _) => {
            let conflict = Conflict { target: None, action: OnTaken::Update(None) };
            let rows = slots.into_iter().map(NewRow::from).collect();
            Action::Create(Create { rows, many, conflict: (kind == 3).then_some(conflict), order: Vec::new() })
        }
    };
    let select = columns.into_iter().map(|name| Field::Column { alias: None, name }).collect();
    write(catalog, resource, action, select, &arguments);
}

fn write(catalog: &Catalog, resource: &Resource, action: Action, select: Vec<Field>, arguments: &[Argument]) {
    let envelope = if action.is_of_one() { Envelope::Object } else { Envelope::Array };
    let form = Form { tagged: action.is_of_one(), ..Form::default() };
    let request = Request { resource: resource.name.clone(), action, select };
    ask(catalog, &Question { request, envelope, form }, arguments, Style::Rest, BOUNDS);
}

/// Preferences: what is told to be applied is read as the same.
pub fn prefer(value: &HeaderValue) {
    let of = |value: HeaderValue| Preferences::of(&one("prefer", value));
    let Ok(preferences) = read(|| of(value.clone())) else { return };
    let Some(applied) = preferences.applied() else { return };
    let told = HeaderValue::try_from(&applied).unwrap_or_else(|_| panic!("no header: {applied}"));
    let again = of(told).unwrap_or_else(|error| panic!("{applied} is not read again: {error:?}"));
    assert_eq!((again.applied(), again.bound()), (Some(applied), preferences.bound()), "read again");
}

/// A range, by itself and with one of a URL, and what is told of it.
pub fn range(value: &HeaderValue, text: &str) {
    let window = read(|| Window::of(&one("range", value.clone())));
    let Ok(window) = window.map(Option::unwrap_or_default) else { return };
    let numbers: Vec<u64> = text.split(',').filter_map(|number| number.parse::<i64>().ok()?.try_into().ok()).collect();
    let number = |index: usize| numbers.get(index).copied();
    let other = Window { offset: number(0).unwrap_or(0), limit: number(1) };
    let (both, turned) = (read(|| window.and(other)), read(|| other.and(window)));
    assert_eq!(both.as_ref().ok(), turned.as_ref().ok(), "the common part of two, and of the two turned around");
    if let Ok(both) = both {
        let rows = number(2).unwrap_or(0).min(both.limit.unwrap_or(u64::MAX)).min(1_000);
        let _ = read(|| both.told(rows, number(3)));
    }
}

/// Entity tags; what has no such tag is not known by it.
pub fn tags(value: &HeaderValue) {
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        let headers = HeaderMap::from_iter([(name, value.clone())]);
        if let Ok(Some(condition)) = read(|| Condition::of(&headers)) {
            let _ = (condition.holds("abc"), condition.is_for_none());
        }
        let told = etag::of("abc", b"{}");
        let known = read(|| etag::is_known(&headers, &told)).unwrap_or(false);
        let text = value.to_str().unwrap_or_default();
        assert!(!known || text.contains(&told) || text.contains('*'), "{text} knows {told}");
    }
}

/// The other headers of a request: none is a defect, and what is made of them can be told.
pub fn header(value: &HeaderValue) {
    let accept = one("accept", value.clone());
    if let Err(error) = read(|| Media::of(&accept)) {
        assert!(error.message.len() < 256 + value.len(), "more is told than was sent");
    }
    if let Ok(Some(key)) =
        read(|| idempotency::key(&one("idempotency-key", value.clone())).map(|key| key.map(str::to_owned)))
    {
        assert!((1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key:?}");
    }
    for (name, method) in [("accept-profile", Method::GET), ("content-profile", Method::POST)] {
        let _ = read(|| headers::profile(&method, &one(name, value.clone())));
    }
    let _ = read(|| body::rows(&one("content-type", value.clone()), b"", None));
}

/// The pairs of a query string or a form: none has what no database's text can hold.
pub fn form(text: &str) {
    let owned = || pairs(text).map(|pairs| pairs.into_iter().map(|(a, b)| (a.into_owned(), b.into_owned())).collect());
    let Ok::<Vec<(String, String)>, _>(read_pairs) = read(owned) else { return };
    let encode = |part: &str| utf8_percent_encode(part, ENCODED).to_string();
    let whole: Vec<_> = read_pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let whole = whole.join("&");
    let again = pairs(&whole).unwrap_or_else(|error| panic!("{whole} is not read again: {error:?}"));
    let again: Vec<_> = again.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    assert_eq!(again, read_pairs, "read again");
}

fn one(name: &'static str, value: HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), value)])
}
