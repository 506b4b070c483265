//! The tables of the model's world, written down by hand: columns, relations, and who may see which row.

use super::value::{Kind, Value};
use crate::support::Caller;

/// A column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
}

/// A relation: the rows of `target` whose column `remote` equals the column `local`.
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) many: bool,
    pub(super) target: usize,
    pub(super) local: usize,
    pub(super) remote: usize,
}

/// A resource. Its key is its first column.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(super) type_name: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) relations: &'static [Relation],
    /// The column by which a list is ordered that is not told how, and whether descending.
    pub(super) order: Option<(usize, bool)>,
}

pub(super) const USERS: usize = 0;
pub(super) const EXPENSES: usize = 1;
pub(super) const TREES: usize = 2;
pub(super) const SPECIES: usize = 3;
pub(super) const BUDGETS: usize = 4;

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: false }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: true }
}

const fn relation(name: &'static str, target: usize, local: usize, remote: usize) -> Relation {
    Relation { name, many: remote != 0, target, local, remote }
}

/// Where the columns are that other code names.
pub(super) const USER_ID: usize = 1;
pub(super) const OWNER_ID: usize = 1;
pub(super) const PARENT_ID: usize = 2;
pub(super) const PROTECTED: usize = 8;
/// The first column of a budget that no table has.
pub(super) const COMPUTED: usize = 8;

pub(super) static TABLES: [Table; 5] = [
    Table {
        name: "users",
        one: "user",
        many: "users",
        type_name: "User",
        columns: &[
            column("id", Kind::Uuid),
            nullable("email", Kind::Text),
            nullable("name", Kind::Text),
            column("role", Kind::Text),
            column("created_at", Kind::Time),
            column("updated_at", Kind::Time),
        ],
        relations: &[relation("expenses", EXPENSES, 0, USER_ID), relation("budgets", BUDGETS, 0, USER_ID)],
        order: None,
    },
    Table {
        name: "expenses",
        one: "expense",
        many: "expenses",
        type_name: "Expense",
        columns: &[
            column("id", Kind::Uuid),
            column("user_id", Kind::Uuid),
            column("title", Kind::Text),
            nullable("description", Kind::Text),
            column("amount", Kind::Decimal(2)),
            column("currency", Kind::Text),
            nullable("category", Kind::Text),
            column("spent_on", Kind::Date),
            column("created_at", Kind::Time),
            column("updated_at", Kind::Time),
        ],
        relations: &[relation("user", USERS, USER_ID, 0)],
        order: Some((7, true)),
    },
    Table {
        name: "trees",
        one: "tree",
        many: "trees",
        type_name: "Tree",
        columns: &[column("id", Kind::Int), column("name", Kind::Text), column("species", Kind::Text)],
        relations: &[],
        order: None,
    },
    Table {
        name: "species",
        one: "species",
        many: "speciesList",
        type_name: "Species",
        columns: &[
            column("id", Kind::Uuid),
            column("owner_id", Kind::Uuid),
            nullable("parent_id", Kind::Uuid),
            column("name", Kind::Text),
            column("population", Kind::Big),
            nullable("population_before", Kind::Big),
            column("height", Kind::Float),
            nullable("height_before", Kind::Float),
            column("protected", Kind::Bool),
            nullable("confirmed", Kind::Bool),
            column("traits", Kind::Json),
            nullable("notes", Kind::Json),
            column("status", Kind::Status),
            nullable("status_before", Kind::Status),
            nullable("density", Kind::Decimal(6)),
            nullable("seen_on", Kind::Date),
            nullable("seen_at", Kind::Time),
            nullable("reference", Kind::Uuid),
            nullable("rank", Kind::Int),
        ],
        relations: &[
            relation("owner", USERS, OWNER_ID, 0),
            relation("parent", SPECIES, PARENT_ID, 0),
            relation("children", SPECIES, 0, PARENT_ID),
        ],
        order: Some((3, false)),
    },
    Table {
        name: "budgets",
        one: "budget",
        many: "budgets",
        type_name: "Budget",
        columns: &[
            column("id", Kind::Uuid),
            column("user_id", Kind::Uuid),
            column("category", Kind::Text),
            column("month", Kind::Date),
            column("limit_amount", Kind::Decimal(2)),
            column("currency", Kind::Text),
            column("created_at", Kind::Time),
            column("updated_at", Kind::Time),
            column("spent", Kind::Decimal(2)),
            column("remaining", Kind::Decimal(2)),
        ],
        relations: &[relation("user", USERS, USER_ID, 0)],
        order: Some((3, true)),
    },
];

/// Whether a caller, whose key is `me`, may see a row.
pub(super) fn visible(caller: Caller, me: Option<&Value>, table: usize, row: &[Value]) -> bool {
    let admin = caller == Caller::Admin;
    match table {
        USERS => admin || me == Some(&row[0]),
        EXPENSES => admin || me == Some(&row[USER_ID]),
        // Admins are nobody special here.
        BUDGETS => me == Some(&row[USER_ID]),
        SPECIES => admin || me == Some(&row[OWNER_ID]) || row[PROTECTED] == Value::Bool(true),
        _ => true,
    }
}

/// Whether a caller is told that it must sign in, where the list of a table is asked for.
pub(super) fn closed(caller: Caller, table: usize) -> bool {
    caller == Caller::Anonymous && matches!(table, USERS | EXPENSES | BUDGETS)
}

/// A name as GraphQL spells it: `spent_on` is `spentOn`.
pub(super) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| format!("{name}{}{}", word[..1].to_uppercase(), &word[1..]))
}

impl Table {
    /// The columns for which something holds.
    pub(super) fn having(&self, holds: impl Fn(usize, &Column) -> bool) -> Vec<usize> {
        (0..self.columns.len()).filter(|&index| holds(index, &self.columns[index])).collect()
    }

    /// The name of a column in GraphQL.
    pub(super) fn field(&self, column: usize) -> String {
        camel(self.columns[column].name)
    }
}
