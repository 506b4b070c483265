//! The query string of a list, in PostgREST's grammar, as a request.
//!
//! In: the decoded pairs of a URL's query. Out: a [`Parsed`] question, equal to the one that GraphQL makes of the same
//! filter, order and page, and the texts that fill its slots.

use super::{filter::Filters, summary};
use crate::{
    catalog::{Operator, Resource},
    engine::{
        bind::Argument,
        request::{Action, Envelope, Field, Filter, Form, Groups, List, Order, Page, Question, Request, Term},
    },
    error::{Error, Kind, Result},
};
use percent_encoding::percent_decode;
use std::borrow::Cow;

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
    /// Which rows the `!inner` of `select` leave.
    pub(super) inner: Option<Filter>,
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
    /// A value for each slot.
    pub(super) arguments: Vec<Argument>,
}

impl Asked {
    /// The key of the row, if `key=eq.value` is the one condition: the slot that its value is in.
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
}

/// INTERIM-D: the interface of this module for reads and writes. `parse_list` makes a [`Parsed`] of what it gives, and
/// `parse_row` refuses what has no meaning where the path names the row (all but `select` and what concerns related rows).
/// They are going to be:
/// `parse_list(resource: &Resource, catalog: &Catalog, query: &str, max_rows: u64) -> Result<Parsed>`,
/// `parse_row(resource: &Resource, catalog: &Catalog, query: &str) -> Result<Asked>`.
///
/// # Errors
/// `PGRST100` for what the grammar does not have, `PGRST108`, `PGRST118`, `PGRST120`, `PGRST200` and `PGRST201`.
pub(super) fn asked(resource: &Resource, _catalog: &crate::catalog::Catalog, query: &str) -> Result<Asked> {
    let mut filters = Filters::new(resource);
    let (mut select, mut order, mut limit, mut offset) = (None, Vec::new(), None, None);
    let (mut columns, mut on_conflict, mut groups) = (None, None, None);
    let names = |value: &str| {
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| name.trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    for (name, value) in &pairs(query)? {
        match &**name {
            "select" if summary::has_aggregates(value) => groups = Some(summary::parse(value)?),
            "select" => select = Some(parse_select(resource, value)?),
            "order" => order = parse_order(value)?,
            "limit" => limit = Some(parse_limit(value)?),
            "offset" => offset = Some(parse_offset(value)?),
            "columns" => columns = Some(names(value)),
            "on_conflict" => on_conflict = Some(names(value)),
            _ => filters.add(name, value)?,
        }
    }
    let (filter, arguments) = filters.finish()?;
    let select = select.unwrap_or_else(|| all_columns(resource));
    Ok(Asked {
        select,
        groups,
        filter,
        inner: None,
        order,
        limit,
        offset,
        cursor: None,
        columns,
        on_conflict,
        arguments,
    })
}

/// The pairs of a query string, decoded.
///
/// # Errors
/// Bytes that are no UTF-8, or a NUL, which no database's text can hold.
pub(super) fn pairs(query: &str) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        let bytes: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Ok(Cow::Owned(text)),
            _ => Err(Error::bad_request("The query string is not UTF-8 text without NUL")),
        }
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

/// The request of `GET /{resource}?{query}`. A page never has more than `max_rows` rows.
///
/// # Errors
/// `PGRST100` for what the grammar does not have, `PGRST103` for a negative limit. Unknown columns are found later.
pub fn parse_list(resource: &Resource, query: &str, max_rows: u64) -> Result<Parsed> {
    let pairs = pairs(query)?;
    let mut filters = Filters::new(resource);
    let (mut select, mut order, mut limit, mut offset) = (None, Vec::new(), None, 0);
    let mut summary = None;
    for (name, value) in &pairs {
        match &**name {
            "select" if summary::has_aggregates(value) => summary = Some(summary::parse(value)?),
            "select" => select = Some(parse_select(resource, value)?),
            "order" => order = parse_order(value)?,
            "limit" => limit = Some(parse_limit(value)?.min(max_rows)),
            "offset" => offset = parse_offset(value)?,
            _ => filters.add(name, value)?,
        }
    }
    let (filter, mut arguments) = filters.finish()?;
    let slot = (offset > 0).then(|| {
        arguments.push(Argument::Number(offset.to_string()));
        arguments.len() - 1
    });
    if let Some(groups) = summary {
        let order = summary::order(&groups, order)?;
        let envelope = Envelope::Groups(Box::new(Groups { order, limit, offset: slot, ..groups }));
        let list = List { filter, ..List::default() };
        let request = Request { resource: resource.name.clone(), action: Action::List(list), select: Vec::new() };
        return Ok(Parsed {
            question: Question { request, envelope, form: Form::default() },
            arguments,
            offset,
            limit,
            cursor: None,
        });
    }
    let page = Page { limit, offset: slot, ..Page::default() };
    let request = Request {
        resource: resource.name.clone(),
        action: Action::List(List { filter, order, page }),
        select: select.unwrap_or_else(|| all_columns(resource)),
    };
    Ok(Parsed {
        question: Question { request, envelope: Envelope::Array, form: Form::default() },
        arguments,
        offset,
        limit,
        cursor: None,
    })
}

/// The fields and the key of a query string that names one row: `?id=eq.1`, or none on the path of an item.
///
/// # Errors
/// A query string that names more than one row, or none.
pub(super) fn parse_row(resource: &Resource, query: &str, on_item: bool) -> Result<(Vec<Field>, Option<Argument>)> {
    let key_name = &resource.key_column().name;
    let (mut select, mut key) = (None, None);
    for (name, value) in pairs(query)? {
        match (&*name, value.strip_prefix("eq.")) {
            ("select", _) => select = Some(parse_select(resource, &value)?),
            (name, Some(value)) if !on_item && name == key_name && key.is_none() => {
                key = Some(Argument::Text(value.to_owned()));
            }
            (name, _) if on_item => {
                let message = format!("\"{name}\" means nothing here: the path names the row already");
                return Err(Error::bad_request(message).nearest(name, ["select"]));
            }
            _ => return Err(one_row(resource)),
        }
    }
    if key.is_none() && !on_item {
        return Err(one_row(resource));
    }
    Ok((select.unwrap_or_else(|| all_columns(resource)), key))
}

fn one_row(resource: &Resource) -> Error {
    let (name, key) = (&resource.name, &resource.key_column().name);
    Error::bad_request("A write must name its row by its key, and by nothing else").code("21000").hint(format!(
        "/{name}/{{{key}}}, or /{name}?{key}=eq.{{{key}}}; PATCH and DELETE take any filter with Prefer: \
         handling=strict, max-affected=N"
    ))
}

/// All columns, in the order of the table.
pub(super) fn all_columns(resource: &Resource) -> Vec<Field> {
    resource.column_names().map(|name| Field::Column { alias: None, name: name.to_owned() }).collect()
}

fn parse_select(resource: &Resource, value: &str) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if item == "*" {
            fields.extend(all_columns(resource));
            continue;
        }
        if item.contains(['(', ')', '>']) || item.contains("::") {
            return Err(Error::bad_request(format!("\"{item}\" is not understood in select"))
                .hint("select takes columns, alias:column, * and aggregates like amount.sum() or count()"));
        }
        let (alias, name) = match item.split_once(':') {
            Some((alias, name)) => (Some(alias.to_owned()), name),
            None => (None, item),
        };
        // A name is a key in the answer's JSON and no more: it never enters a statement.
        fields.push(Field::Column { alias: alias.filter(|alias| alias != name), name: name.to_owned() });
    }
    if fields.is_empty() { Ok(all_columns(resource)) } else { Ok(fields) }
}

fn parse_order(value: &str) -> Result<Vec<Order>> {
    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            // A column of the row at the other end of a relation to one: `user(name).desc`.
            let related = item.split_once('(').and_then(|(name, rest)| Some((name, rest.split_once(')')?)));
            let (term, words) = match related {
                Some((relation, (column, words))) => {
                    let column = Box::new(Term::column(column.trim()));
                    (Term::One(relation.trim().to_owned(), column), words.strip_prefix('.').unwrap_or(words))
                }
                None if item.contains('(') => {
                    return Err(Error::bad_request(format!("\"{item}\" is not understood in order"))
                        .hint("A column of a related row is relation(column)"));
                }
                None => {
                    let (column, words) = item.split_once('.').unwrap_or((item, ""));
                    (Term::column(column), words)
                }
            };
            let mut order = Order { term, descending: false, nulls_first: None };
            for (index, word) in words.split('.').filter(|_| !words.is_empty()).enumerate() {
                match (index, word) {
                    (0, "asc") => {}
                    (0, "desc") => order.descending = true,
                    (0 | 1, "nullsfirst") => order.nulls_first = Some(true),
                    (0 | 1, "nullslast") => order.nulls_first = Some(false),
                    _ => {
                        return Err(Error::bad_request(format!("\"{item}\" is not understood in order"))
                            .details(format!("unexpected \"{word}\""))
                            .hint(
                                "order takes column, column.desc, column.asc.nullsfirst, relation(column) and so on",
                            ));
                    }
                }
            }
            Ok(order)
        })
        .collect()
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
