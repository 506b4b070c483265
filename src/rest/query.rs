//! The query string of a request, in PostgREST's grammar.
//!
//! In: the query of a URL. Out: [`Asked`], which is all that it says, whatever the method; of a list a [`Parsed`] question,
//! equal to the one that GraphQL makes of the same filter, order and page, and the texts that fill its slots.

use super::{
    embed::{Level, Told, slot_of},
    filter::element,
    select,
    value::group_order,
};
use crate::{
    catalog::{Catalog, Operator, Resource},
    engine::{
        bind::Argument,
        request::{Action, Envelope, Field, Filter, Form, Groups, List, Order, Page, Question, Request, Term},
    },
    error::{Error, Kind, Result},
};
use percent_encoding::percent_decode;
use std::{borrow::Cow, collections::HashSet};

/// A question and what fills its slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The question.
    pub question: Question,
    /// A value for each slot.
    pub arguments: Vec<Argument>,
    /// How many rows the client leaves out, for the answer's `Content-Range`.
    pub offset: u64,
    /// How many rows the client wants at most, before any bound of the server.
    pub limit: Option<u64>,
    /// The cursor behind which the page begins, as the client gives it.
    pub cursor: Option<String>,
}

/// What a query string says, whatever the method that it comes with. Every value of it has a slot in `arguments`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// What to tell of each row, related rows with their own filters, orders and limits included.
    pub(super) select: Vec<Field>,
    /// The groups that `select` asks for, without order and page; `select` is empty then.
    pub(super) groups: Option<Groups>,
    /// Which rows the client's conditions leave; all without.
    pub(super) filter: Option<Filter>,
    /// Which of them the `!inner` of `select` leave.
    pub(super) inner: Vec<Filter>,
    /// In which order; empty where none is given.
    pub(super) order: Vec<Order>,
    /// How many rows at most.
    pub(super) limit: Option<u64>,
    /// How many rows to leave out.
    pub(super) offset: Option<u64>,
    /// Behind which cursor.
    pub(super) cursor: Option<String>,
    /// Which members of a body are written.
    pub(super) columns: Option<Vec<String>>,
    /// By which columns a new row is found to be there already.
    pub(super) on_conflict: Option<Vec<String>>,
    /// The names of the pairs that are about the rows themselves, and not about related ones.
    pub(super) names: Vec<String>,
    /// A value for each slot.
    pub(super) arguments: Vec<Argument>,
}

impl Asked {
    /// The slot of the row's key, if `key=eq.value` is the one condition.
    pub(super) fn key(&self, resource: &Resource) -> Option<usize> {
        match &self.filter {
            Some(Filter::Compare { term: Term::Column(name), operator: Operator::Eq, slot })
                if *name == resource.key_column().name =>
            {
                Some(*slot)
            }
            _ => None,
        }
    }

    /// Refuses what is about the rows themselves and not among `allowed`; `reason` ends the sentence that tells why.
    ///
    /// # Errors
    /// `PGRST100`, with the nearest of the allowed names.
    pub(super) fn only(&self, allowed: &[&str], reason: &str) -> Result<()> {
        match self.names.iter().find(|name| !allowed.contains(&name.as_str())) {
            Some(name) => {
                let message = format!("\"{name}\" means nothing here: {reason}");
                Err(Error::bad_request(message).nearest(name, allowed.iter().copied()))
            }
            None => Ok(()),
        }
    }

    /// What is told of rows that nothing but their key, or a write, chooses.
    ///
    /// # Errors
    /// `PGRST100` for an `!inner`, which would choose, and for aggregates.
    pub(super) fn of_each(&self) -> Result<()> {
        if self.groups.is_some() {
            return Err(Error::bad_request("Aggregates are of a list, and this is of rows one by one"));
        }
        if !self.inner.is_empty() {
            return Err(Error::bad_request("\"!inner\" means nothing here: the rows are chosen already")
                .hint("Without it, what is not there is told as null or []"));
        }
        Ok(())
    }
}

/// The pairs of a query string, decoded.
///
/// # Errors
/// A percent sign that begins no byte, bytes that are no UTF-8, or a NUL, which no database's text can hold.
pub(super) fn pairs(query: &str) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<Cow<'_, str>> {
    // A URL has no NUL that is not encoded, and a form may have one.
    if !text.contains(['%', '+', '\0']) {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    let escapes = |rest: &str| {
        let bytes = rest.as_bytes();
        bytes.len() >= 2 && bytes[..2].iter().all(u8::is_ascii_hexdigit)
    };
    if let Some(wrong) = spaced.split('%').skip(1).find(|rest| !escapes(rest)) {
        let shown: String = wrong.chars().take(2).collect();
        return Err(Error::bad_request("The query string is not percent-encoded")
            .details(format!("unexpected \"%{shown}\""))
            .hint("A percent sign is followed by two hexadecimal digits; itself it is %25"));
    }
    match String::from_utf8(percent_decode(spaced.as_bytes()).collect()) {
        Ok(text) if !text.contains('\0') => Ok(Cow::Owned(text)),
        _ => Err(Error::bad_request("The query string is not UTF-8 text without NUL")),
    }
}

/// What a query string says. Of a parameter that is given twice, the first counts, of limits and offsets the last;
/// filters are all meant.
///
/// # Errors
/// `PGRST100` for what the grammar does not have, `PGRST103` for a negative limit, `PGRST108` and others for what is wrong
/// with related rows. Unknown columns in `select` are found later.
pub(super) fn asked(resource: &Resource, catalog: &Catalog, query: &str) -> Result<Asked> {
    let pairs = pairs(query)?;
    let first = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
    let items = select::parse(first("select").unwrap_or_default())?;
    let items = if items.is_empty() { vec![select::Item::Star] } else { items };
    let mut level = Level::root(catalog, resource, &items)?;
    let mut names: Vec<String> = Vec::new();
    for (name, value) in &pairs {
        let place = if RESERVED.contains(&&**name) { None } else { Some(place(name)?) };
        if place.as_ref().is_none_or(|place| place.path.is_empty()) {
            names.push(name.clone().into_owned());
        }
        let Some(Place { path, word }) = place else { continue };
        let level = level.at(&path)?;
        match word.as_str() {
            "order" => level.order_by(value.clone().into_owned()),
            "limit" => level.limit = Some(parse_limit(value)?),
            "offset" => level.offset = Some(parse_offset(value)?),
            _ => level.filter(word, value.clone().into_owned()),
        }
    }
    let mut arguments = Vec::new();
    let (own, inner) = level.conditions(&mut arguments)?;
    let order = level.order(&mut arguments)?;
    let (limit, offset) = (level.limit, level.offset);
    let (select, groups) = match level.told(&mut arguments)? {
        Told::Rows(select) => (select, None),
        Told::Groups(groups) => (Vec::new(), Some(groups)),
    };
    Ok(Asked {
        select,
        groups,
        filter: (!own.is_empty()).then(|| conjunction(own)),
        inner,
        order,
        limit,
        offset,
        cursor: first("cursor").map(str::to_owned),
        columns: first("columns").map(column_list).transpose()?,
        on_conflict: first("on_conflict").map(column_list).transpose()?,
        names,
        arguments,
    })
}

/// The request of `GET /{resource}?{query}`. A page never has more than `max_rows` rows.
///
/// # Errors
/// What no query string has, or has no meaning for a read.
pub fn parse_list(resource: &Resource, catalog: &Catalog, query: &str, max_rows: u64) -> Result<Parsed> {
    let asked = asked(resource, catalog, query)?;
    for name in ["columns", "on_conflict"] {
        if asked.names.iter().any(|given| given == name) {
            return Err(Error::bad_request(format!("\"{name}\" means nothing here: nothing is written")));
        }
    }
    let Asked { select, groups, filter, inner, order, limit, offset, cursor, mut arguments, .. } = asked;
    let filter = if inner.is_empty() {
        filter
    } else {
        let own = match filter {
            Some(Filter::And(all)) => all,
            filter => filter.into_iter().collect(),
        };
        Some(conjunction(own.into_iter().chain(inner).collect()))
    };
    let slot = slot_of(offset, &mut arguments);
    let page = limit.map(|limit| limit.min(max_rows));
    let (list, envelope) = match groups {
        Some(groups) => {
            let order = group_order(&groups, order, &arguments)?;
            let groups = Groups { order, limit: page, offset: slot, ..groups };
            (List { filter, ..List::default() }, Envelope::Groups(Box::new(groups)))
        }
        None => {
            let page = Page { limit: page, offset: slot, ..Page::default() };
            (List { filter, order, page }, Envelope::Array)
        }
    };
    let request = Request { resource: resource.name.clone(), action: Action::List(list), select };
    let question = Question { request, envelope, form: Form::default() };
    Ok(Parsed { question, arguments, offset: offset.unwrap_or(0), limit, cursor })
}

/// What is asked of a row that the path names: what to tell of it, and what to tell of related rows.
///
/// # Errors
/// Those of [`asked`], and a parameter that would choose among rows.
pub(super) fn parse_row(resource: &Resource, catalog: &Catalog, query: &str) -> Result<Asked> {
    let asked = asked(resource, catalog, query)?;
    asked.only(&["select"], "the path names the row already")?;
    asked.of_each()?;
    Ok(asked)
}

/// The parameters that are about the whole request.
const RESERVED: [&str; 4] = ["select", "columns", "on_conflict", "cursor"];

/// Where a pair of a query string belongs.
struct Place {
    /// The embedded relations that lead to the rows that it is about.
    path: Vec<String>,
    /// What it says of them: `order`, `limit`, `offset`, logic, or the left side of a comparison.
    word: String,
}

/// Takes `a.b.column->x.y`, `a.order` or `not.and` apart. A point behind an arrow is one of a path into JSON.
fn place(name: &str) -> Result<Place> {
    let arrow = name.find("->").unwrap_or(name.len());
    let (head, json) = name.split_at(arrow);
    let unknown = || Error::bad_request(format!("\"{name}\" is not understood as a path"));
    let (mut path, mut rest) = (Vec::new(), head);
    let mut word = loop {
        let (step, behind) = element(rest, &['.']).ok_or_else(unknown)?;
        match behind.strip_prefix('.') {
            Some(behind) => rest = behind,
            None if behind.is_empty() => break step,
            None => return Err(unknown()),
        }
        path.push(step);
    };
    word.push_str(json);
    if matches!(word.as_str(), "and" | "or") && path.last().is_some_and(|step| step == "not") {
        path.pop();
        word.insert_str(0, "not.");
    }
    Ok(Place { path, word })
}

/// The names of a list of columns, each plain or in double quotes.
fn column_list(text: &str) -> Result<Vec<String>> {
    let (mut names, mut seen, mut rest) = (Vec::new(), HashSet::new(), text);
    loop {
        let unknown = || Error::bad_request(format!("\"{text}\" is no list of columns"));
        let (name, behind) = element(rest.trim_start(), &[',']).ok_or_else(unknown)?;
        // A column that is named twice is meant once.
        let name = name.trim();
        if !name.is_empty() && seen.insert(name.to_owned()) {
            names.push(name.to_owned());
        }
        match behind.trim_start().strip_prefix(',') {
            Some(behind) => rest = behind,
            None if behind.trim().is_empty() => return Ok(names),
            None => return Err(unknown()),
        }
    }
}

fn parse_limit(value: &str) -> Result<u64> {
    match value.parse::<i64>() {
        Ok(limit) => u64::try_from(limit).map_err(|_| {
            Error::new(Kind::RangeNotSatisfiable, "Requested range not satisfiable")
                .details("Limit should be greater than or equal to zero.")
        }),
        Err(_) => Err(Error::bad_request(format!("limit must be a number, and is \"{value}\""))),
    }
}

fn parse_offset(value: &str) -> Result<u64> {
    let offset = value.parse::<i64>();
    // PostgREST takes a negative offset for none.
    offset
        .map(|offset| u64::try_from(offset).unwrap_or(0))
        .map_err(|_| Error::bad_request(format!("offset must be a number, and is \"{value}\"")))
}

/// A conjunction as both protocols write it: one condition stands alone.
pub(super) fn conjunction(mut filters: Vec<Filter>) -> Filter {
    if filters.len() == 1 { filters.remove(0) } else { Filter::And(filters) }
}
