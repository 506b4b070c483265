//! How much a request's filters may ask for.

use crate::{
    engine::request::{Filter, Term},
    error::{Error, Kind, Result},
};

/// How many conditions all filters of a request may have.
const MAX_CONDITIONS: usize = 500;
/// How deep the logic of a filter may be nested.
const MAX_DEPTH: usize = 32;

/// Counts the conditions of a filter to those before it.
///
/// # Errors
/// More conditions, or deeper logic, than a request may have.
pub(super) fn check(filter: &Filter, conditions: &mut usize) -> Result<()> {
    walk(filter, conditions, 0)
}

fn walk(filter: &Filter, conditions: &mut usize, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        let message = format!("A filter is nested deeper than {MAX_DEPTH}");
        return Err(Error::new(Kind::CostLimit, message).hint("Write it flatter: a list in and, or, in"));
    }
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().try_for_each(|one| walk(one, conditions, depth + 1)),
        Filter::Not(one) => walk(one, conditions, depth + 1),
        Filter::Related { filter, .. } => {
            count(conditions)?;
            walk(filter, conditions, depth + 1)
        }
        Filter::Compare { term, .. } | Filter::IsNull { term, .. } => {
            count(conditions)?;
            walk_term(term, conditions, depth + 1)
        }
    }
}

/// The conditions on the rows whose aggregate is compared.
fn walk_term(term: &Term, conditions: &mut usize, depth: usize) -> Result<()> {
    match term {
        Term::One(_, term) => walk_term(term, conditions, depth),
        Term::Many { filter: Some(filter), .. } => walk(filter, conditions, depth),
        _ => Ok(()),
    }
}

fn count(conditions: &mut usize) -> Result<()> {
    *conditions += 1;
    if *conditions > MAX_CONDITIONS {
        let message = format!("The filters of a request have at most {MAX_CONDITIONS} conditions");
        return Err(Error::new(Kind::CostLimit, message).hint("Many values of one column are one list: in"));
    }
    Ok(())
}
