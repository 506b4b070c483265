//! Aggregates in PostgREST's spelling: `select=category,amount.sum(),count()`.
//!
//! In: a `select` with an aggregate in it. Out: [`Groups`] of the rows by the columns that stand beside the aggregates;
//! of all rows together, one group.

use super::select::{Item, Value};
use crate::{
    catalog::{Function, Resource},
    engine::{
        bind::Argument,
        request::{Field, GroupKey, Groups, Measure, Order, SummaryKind, SummaryPart, Term},
    },
    error::{Error, Result, nearest},
};

/// PostgREST's names of the functions.
const FUNCTIONS: [(&str, Function); 5] = [
    ("avg", Function::Avg),
    ("count", Function::Count),
    ("max", Function::Max),
    ("min", Function::Min),
    ("sum", Function::Sum),
];

/// A value of a row.
///
/// # Errors
/// What is more than a column.
pub(super) fn field(_: &Resource, value: &Value, _: &mut Vec<Argument>) -> Result<Field> {
    if value.cast.is_some() || value.column.contains("->") {
        return Err(Error::bad_request(format!("\"{}\" is not understood in select", value.column))
            .hint("select takes columns, alias:column, * and aggregates like amount.sum() or count()"));
    }
    let alias = value.alias.clone().filter(|alias| *alias != value.column);
    Ok(Field::Column { alias, name: value.column.clone() })
}

/// The groups that a `select` asks for, without their order and page.
///
/// # Errors
/// `PGRST100` for a function that there is not.
pub(super) fn groups(_: &Resource, items: &[Item]) -> Result<Groups> {
    let (mut by, mut parts): (Vec<GroupKey>, Vec<SummaryPart>) = (Vec::new(), Vec::new());
    for item in items {
        let Item::Value(Value { alias, column, aggregate, .. }) = item else {
            return Err(Error::bad_request("Beside aggregates, select takes columns"));
        };
        let Some((name, _)) = aggregate else {
            let number = by.iter().position(|key| key.term == Term::column(column)).unwrap_or_else(|| {
                by.push(GroupKey { term: Term::column(column), bucket: None });
                by.len() - 1
            });
            let alias = alias.clone().unwrap_or_else(|| column.clone());
            parts.push(SummaryPart { alias, kind: SummaryKind::Key(number) });
            continue;
        };
        let column = Some(column).filter(|column| !column.is_empty());
        let found = FUNCTIONS.iter().find(|(word, _)| word == name);
        let function = match (found, column) {
            (Some((_, function)), Some(_)) => *function,
            (Some((_, Function::Count)), None) => Function::Count,
            _ => {
                let error = Error::bad_request(format!("\"{name}()\" is no aggregate"));
                let names = FUNCTIONS.map(|(name, _)| name);
                return Err(error.hint(match nearest(name, names) {
                    Some(near) if near != name => format!("Did you mean {near}()?"),
                    _ => "An aggregate is column.sum(), avg(), min(), max() or count(), or count() alone".to_owned(),
                }));
            }
        };
        let kind = SummaryKind::Measure(Measure { function, of: column.map(|name| Box::new(Term::column(name))) });
        parts.push(SummaryPart { alias: alias.clone().unwrap_or_else(|| name.clone()), kind });
    }
    Ok(Groups { by, having: None, order: Vec::new(), limit: None, offset: None, fill: None, parts })
}

/// An order of rows as one of groups, which have nothing but their keys to be ordered by.
pub(super) fn order(groups: &Groups, order: Vec<Order>) -> Result<Vec<Order>> {
    let key = |order: Order| {
        let Term::Column(name) = &order.term else {
            return Err(Error::bad_request("Groups are ordered by the columns that they are grouped by"));
        };
        let number = groups.by.iter().position(|key| key.term == order.term).ok_or_else(|| {
            Error::bad_request(format!("Groups cannot be ordered by \"{name}\", which select does not name"))
                .hint("Groups are ordered by the columns that they are grouped by")
        })?;
        Ok(Order { term: Term::Key(number), ..order })
    };
    order.into_iter().map(key).collect()
}
