//! How much a request's filters and orders may ask for.
//!
//! In: a [`Filter`] or the [`Term`] of an order. Out: the error of a bound, before a name in them is looked for.

use crate::{
    catalog::scalar::Style,
    engine::request::{Filter, Term},
    error::{Error, Kind, Result},
};

/// How many conditions all filters of a request may have.
const MAX_CONDITIONS: usize = 500;
/// How many values an answer of REST may have of a row and of those that belong to it. A document of GraphQL has its cost.
const MAX_TOLD: usize = 500;
/// How deep the logic of a filter may be nested.
const MAX_DEPTH: usize = 32;
/// How many relations a condition or a step of an order may lead through: each is a join for every row of the one
/// before it.
const MAX_RELATIONS: usize = 5;

/// How many rows may be told below a relation to one, where the same rows are told for each row that leads to them. Rows
/// that only relations to many lead to are told once each, and there are no more of them than the table has.
const MAX_REPEATED: u64 = 1_000_000;

/// The rows around a selection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// How many they may be.
    rows: u64,
    /// Whether a relation to one led to them.
    repeated: bool,
}

impl Around {
    /// Those of a request about `rows` rows.
    pub(super) const fn of(rows: u64) -> Self {
        Self { rows, repeated: false }
    }

    /// Those at the other end of a relation to one.
    pub(super) const fn one(self) -> Self {
        Self { repeated: true, ..self }
    }

    /// Those of lists of at most `limit` rows. GraphQL has counted its own cost.
    ///
    /// # Errors
    /// More rows than may be told below a relation to one.
    pub(super) fn list(self, limit: u64, style: Style) -> Result<Self> {
        let rows = self.rows.saturating_mul(limit);
        if self.repeated && rows > MAX_REPEATED && style == Style::Rest {
            let message =
                format!("Below a relation to one, at most {MAX_REPEATED} rows are told, and these could be {rows}");
            return Err(Error::new(Kind::CostLimit, message)
                .hint("Give the lists a limit, each by its path: limit=10&relation.limit=10"));
        }
        Ok(Self { rows, ..self })
    }
}

/// Counts the conditions of a filter to those before it.
///
/// # Errors
/// More conditions, deeper logic, or more relations on the way, than a request may have.
pub(super) fn check(filter: &Filter, conditions: &mut usize) -> Result<()> {
    walk(filter, conditions, Nesting::default())
}

/// Checks what rows or groups are ordered by.
///
/// # Errors
/// Those of [`check`].
pub(super) fn check_order(term: &Term, conditions: &mut usize) -> Result<()> {
    walk_term(term, conditions, Nesting::default())
}

/// Counts a value to those that are told.
///
/// # Errors
/// More values than an answer may have.
pub(super) fn count_told(told: &mut usize, style: Style) -> Result<()> {
    *told += 1;
    if style == Style::Rest && *told > MAX_TOLD {
        let message = format!("An answer has at most {MAX_TOLD} values of a row");
        return Err(Error::new(Kind::CostLimit, message).hint("Select fewer values, or each of them once"));
    }
    Ok(())
}

/// Where in a filter a condition is.
#[derive(Clone, Copy, Default)]
struct Nesting {
    logic: usize,
    relations: usize,
}

impl Nesting {
    fn deeper(self) -> Result<Self> {
        if self.logic == MAX_DEPTH {
            let message = format!("A filter is nested deeper than {MAX_DEPTH}");
            return Err(Error::new(Kind::CostLimit, message).hint("Write it flatter: a list in and, or, in"));
        }
        Ok(Self { logic: self.logic + 1, ..self })
    }

    fn related(self) -> Result<Self> {
        if self.relations == MAX_RELATIONS {
            let message = format!("A filter or an order leads through more than {MAX_RELATIONS} relations");
            return Err(
                Error::new(Kind::CostLimit, message).hint("Begin at a resource that is nearer to the condition")
            );
        }
        Ok(Self { relations: self.relations + 1, ..self })
    }
}

fn walk(filter: &Filter, conditions: &mut usize, at: Nesting) -> Result<()> {
    match filter {
        Filter::And(all) | Filter::Or(all) => {
            let at = at.deeper()?;
            all.iter().try_for_each(|one| walk(one, conditions, at))
        }
        Filter::Not(one) => walk(one, conditions, at.deeper()?),
        Filter::Related { filter, .. } => {
            count(conditions)?;
            walk(filter, conditions, at.deeper()?.related()?)
        }
        Filter::Compare { term, .. } | Filter::IsNull { term, .. } => {
            count(conditions)?;
            walk_term(term, conditions, at)
        }
    }
}

/// The relations that lead to a value, and the conditions on the rows whose aggregate it is.
fn walk_term(term: &Term, conditions: &mut usize, at: Nesting) -> Result<()> {
    match term {
        Term::One(_, term) => walk_term(term, conditions, at.related()?),
        Term::Cast(term, _) | Term::Marked(term, _) => walk_term(term, conditions, at),
        Term::Many { filter, .. } => {
            let at = at.related()?;
            filter.iter().try_for_each(|filter| walk(filter, conditions, at.deeper()?))
        }
        Term::Column(_) | Term::Json { .. } | Term::Key(_) | Term::Measure(_) | Term::Present => Ok(()),
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
