//! Who may do what with which rows: the vocabulary of policies, as plain values.
//!
//! In: an entity file's declaration. Out: a [`Policy`] that `engine::authorize` solves for a principal at every node
//! of every request. An invisible row does not exist, and neither does a hidden column.

use super::{operator::Operator, scalar::Value};
use sea_orm::IdenStatic;

/// A condition over the caller's claims and a row's columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Everybody, every row.
    Always,
    /// Nobody, no row.
    Never,
    /// A caller with a subject.
    Authenticated,
    /// A caller in this role.
    Role(String),
    /// A row whose column compares so with the operand; never true for a claim that the caller does not have.
    Compare {
        /// The column's name.
        column: String,
        /// How: by one of the operators that take a single value and no pattern.
        operator: Operator,
        /// With what.
        operand: Operand,
    },
    /// A row whose column is NULL.
    IsNull {
        /// The column's name.
        column: String,
    },
    /// A row that has a related row of which the condition holds, whoever may see that row.
    Related {
        /// The relation's name.
        relation: String,
        /// What must hold of the related row.
        condition: Box<Condition>,
    },
    /// All of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
}

/// A value that a policy compares with or writes.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Out of the caller's token.
    Claim(Claim),
    /// Always the same.
    Value(Value),
}

/// A claim of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// The caller's user id.
    Sub,
    /// The caller's role.
    Role,
}

impl Condition {
    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(vec![self, other])
    }

    /// Either condition.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Or(vec![self, other])
    }

    /// This condition, and another one for the row after the write.
    #[must_use]
    pub fn check(self, check: Self) -> Grant {
        Grant::from(self).check(check)
    }

    /// This condition, and a bound on the rows of one write.
    #[must_use]
    pub fn at_most(self, rows: u64) -> Grant {
        Grant::from(self).at_most(rows)
    }

    /// This condition, and a preset: the column gets the operand and is never taken from input.
    #[must_use]
    pub fn set(self, column: impl IdenStatic, operand: Operand) -> Grant {
        Grant::from(self).set(column, operand)
    }
}

/// Everybody.
pub fn anyone() -> Condition {
    Condition::Always
}

/// Callers with a subject.
pub fn authenticated() -> Condition {
    Condition::Authenticated
}

/// Callers in the role `name`.
pub fn role(name: &str) -> Condition {
    Condition::Role(name.to_owned())
}

/// Rows whose `column` is the caller's user id.
pub fn owner(column: impl IdenStatic) -> Condition {
    compare(column, Operator::Eq, claim(Claim::Sub))
}

/// Rows whose `column` equals the operand.
pub fn equals(column: impl IdenStatic, operand: Operand) -> Condition {
    compare(column, Operator::Eq, operand)
}

/// Rows whose `column` compares so with the operand.
pub fn compare(column: impl IdenStatic, operator: Operator, operand: Operand) -> Condition {
    Condition::Compare { column: column.as_str().to_owned(), operator, operand }
}

/// Rows whose `column` is NULL.
pub fn is_null(column: impl IdenStatic) -> Condition {
    Condition::IsNull { column: column.as_str().to_owned() }
}

/// Rows with a row at the other end of `relation` of which the condition holds.
pub fn related(relation: &str, condition: Condition) -> Condition {
    Condition::Related { relation: relation.to_owned(), condition: Box::new(condition) }
}

/// What the condition does not hold of.
pub fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// A claim as an operand.
pub const fn claim(claim: Claim) -> Operand {
    Operand::Claim(claim)
}

/// What a write action is allowed, and what it writes by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// For which callers and rows. For an update it holds of the row before and after, for a create after.
    pub condition: Condition,
    /// What must hold of the row after an update instead of the condition, and after a create beside it.
    pub check: Option<Condition>,
    /// How many rows one write may touch; any number without.
    pub cap: Option<u64>,
    /// Columns that are written by the policy and never taken from input.
    pub presets: Vec<(String, Operand)>,
}

impl From<Condition> for Grant {
    fn from(condition: Condition) -> Self {
        Self { condition, check: None, cap: None, presets: Vec::new() }
    }
}

impl Grant {
    /// With a preset: the column gets the operand and is never taken from input.
    #[must_use]
    pub fn set(mut self, column: impl IdenStatic, operand: Operand) -> Self {
        self.presets.push((column.as_str().to_owned(), operand));
        self
    }

    /// With what must hold of the row after the write, where that is not the condition.
    #[must_use]
    pub fn check(self, check: Condition) -> Self {
        Self { check: Some(check), ..self }
    }

    /// With a bound on the rows of one write: of more than one that is added, changed or deleted.
    #[must_use]
    pub fn at_most(self, rows: u64) -> Self {
        Self { cap: Some(rows), ..self }
    }
}

/// Who may write a column, beyond the grant of the action.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRule {
    /// The column's name.
    pub column: String,
    /// Which callers may give it a value; solved without looking at rows.
    pub write: Condition,
}

/// Who may read a column, beyond who may read the row.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// The column's name.
    pub column: String,
    /// For which callers and rows it has its value. For others it is NULL, wherever it is named: in an answer, a filter,
    /// an order, a group.
    pub read: Condition,
}

/// The policy of a resource: nothing is allowed that it does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Which rows exist for whom.
    pub read: Condition,
    /// Who may add rows.
    pub create: Grant,
    /// Who may change which rows.
    pub update: Grant,
    /// Who may delete which rows.
    pub delete: Grant,
    /// Columns that do not exist for any caller.
    pub hidden: Vec<String>,
    /// Columns that not every caller who may write the row may write.
    pub columns: Vec<ColumnRule>,
    /// Columns that not every caller who may read the row may read.
    pub masks: Vec<Mask>,
    /// How many rows a page may have, below the bound of the protocol.
    pub page: Option<u64>,
}

impl Policy {
    /// Nobody may do anything.
    pub fn deny() -> Self {
        let never = || Grant::from(Condition::Never);
        Self {
            read: Condition::Never,
            create: never(),
            update: never(),
            delete: never(),
            hidden: Vec::new(),
            columns: Vec::new(),
            masks: Vec::new(),
            page: None,
        }
    }

    /// Which rows exist for whom.
    #[must_use]
    pub fn read(self, read: Condition) -> Self {
        Self { read, ..self }
    }

    /// Who may add rows.
    #[must_use]
    pub fn create(self, create: impl Into<Grant>) -> Self {
        Self { create: create.into(), ..self }
    }

    /// Who may change which rows.
    #[must_use]
    pub fn update(self, update: impl Into<Grant>) -> Self {
        Self { update: update.into(), ..self }
    }

    /// Who may delete which rows.
    #[must_use]
    pub fn delete(self, delete: impl Into<Grant>) -> Self {
        Self { delete: delete.into(), ..self }
    }

    /// A column that does not exist for any caller.
    #[must_use]
    pub fn hide(mut self, column: impl IdenStatic) -> Self {
        self.hidden.push(column.as_str().to_owned());
        self
    }

    /// A column that only the callers of `read`, or only in the rows of which it holds, have the value of; NULL else.
    #[must_use]
    pub fn read_column(mut self, column: impl IdenStatic, read: Condition) -> Self {
        self.masks.push(Mask { column: column.as_str().to_owned(), read });
        self
    }

    /// No page has more than `rows` rows.
    #[must_use]
    pub fn page(self, rows: u64) -> Self {
        Self { page: Some(rows), ..self }
    }

    /// A column that only the callers of `write` may give a value; nobody, if that is [`Condition::Never`].
    #[must_use]
    pub fn write_column(mut self, column: impl IdenStatic, write: Condition) -> Self {
        self.columns.push(ColumnRule { column: column.as_str().to_owned(), write });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_that_says_nothing_allows_nothing() {
        let policy = Policy::deny();
        assert_eq!(policy.read, Condition::Never);
        for grant in [policy.create, policy.update, policy.delete] {
            assert_eq!(grant, Grant::from(Condition::Never));
        }
    }
}
