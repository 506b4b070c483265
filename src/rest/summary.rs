//! Aggregates in PostgREST's spelling: `select=category,amount.sum(),count()`.
//!
//! In: a `select` with an aggregate in it. Out: [`Groups`] of the rows by the columns that stand beside the aggregates;
//! of all rows together, one group.

use crate::{
    catalog::Function,
    engine::request::{GroupKey, Groups, Measure, Order, SummaryKind, SummaryPart, Term},
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

/// Whether a `select` asks for an aggregate.
pub(super) fn has_aggregates(select: &str) -> bool {
    select.contains("()")
}

/// The groups that a `select` asks for, without their order and page.
///
/// # Errors
/// `PGRST100` for a function that there is not.
pub(super) fn parse(select: &str) -> Result<Groups> {
    let (mut by, mut parts): (Vec<GroupKey>, Vec<SummaryPart>) = (Vec::new(), Vec::new());
    for item in select.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (alias, item) = match item.split_once(':') {
            Some((alias, item)) => (Some(alias.to_owned()), item),
            None => (None, item),
        };
        let Some(call) = item.strip_suffix("()") else {
            let number = by.iter().position(|key| key.term == Term::column(item)).unwrap_or_else(|| {
                by.push(GroupKey { term: Term::column(item), bucket: None });
                by.len() - 1
            });
            parts.push(SummaryPart { alias: alias.unwrap_or_else(|| item.to_owned()), kind: SummaryKind::Key(number) });
            continue;
        };
        let (column, name) = match call.rsplit_once('.') {
            Some((column, name)) => (Some(column.to_owned()), name),
            None => (None, call),
        };
        let found = FUNCTIONS.iter().find(|(word, _)| *word == name);
        let function = match (found, &column) {
            (Some((_, function)), Some(_)) => *function,
            (Some((_, Function::Count)), None) => Function::Count,
            _ => {
                let error = Error::bad_request(format!("\"{item}\" is no aggregate"));
                let names = FUNCTIONS.map(|(name, _)| name);
                return Err(error.hint(match nearest(name, names) {
                    Some(near) if near != name => format!("Did you mean {near}()?"),
                    _ => "An aggregate is column.sum(), avg(), min(), max() or count(), or count() alone".to_owned(),
                }));
            }
        };
        let kind = SummaryKind::Measure(Measure { function, of: column.map(|name| Box::new(Term::column(name))) });
        parts.push(SummaryPart { alias: alias.unwrap_or_else(|| name.to_owned()), kind });
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
