//! What a write does to the world, or why it does nothing.

use super::{
    FEATURES,
    act::{Act, Conflict, Given, required},
    schema::{EXPENSES, PARENT_ID, SPECIES, TABLES, TREES, USERS, visible},
    value::{Kind, Value},
    view::View,
    world::{Row, World},
};
use crate::support::Caller;

/// Why nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Unauthenticated,
    Forbidden,
    Input,
    NotFound,
    Conflict,
}

/// What a write did: the rows as they are behind it, or as they were before they were deleted.
pub(super) type Done = Result<Vec<Row>, Refusal>;

/// What only the server knows of a row that it has written, as it told: the key of a new one, and when it was.
pub(super) struct Learned<'l> {
    /// What the answer has in a column of a row.
    pub(super) told: &'l dyn Fn(Told<'_>, usize) -> Option<Value>,
    /// Whether the answer is REST's, which tells of no row that was there and was left as it is.
    pub(super) rest: bool,
}

/// Which row of an answer.
pub(super) enum Told<'k> {
    /// The one at a position.
    At(usize),
    /// The one with a key.
    Key(&'k Value),
}

/// Whether a role may write rows of a table at all, whoever owns them.
fn role_may(caller: Caller, table: usize) -> Result<(), Refusal> {
    match (caller, table) {
        (Caller::Anonymous, _) => Err(Refusal::Unauthenticated),
        (Caller::User | Caller::Other, TREES) => Err(Refusal::Forbidden),
        _ => Ok(()),
    }
}

/// Whether a caller may write the row.
fn row_may(world: &World, caller: Caller, table: usize, row: &Row) -> bool {
    match table {
        TREES => true,
        USERS => caller == Caller::Admin || Some(&row[0]) == world.me(caller),
        _ => Some(&row[1]) == world.me(caller),
    }
}

/// Whether a caller may name the column.
pub(super) fn column_may(caller: Caller, table: usize, column: usize) -> bool {
    match (table, column) {
        (SPECIES, 18) => caller == Caller::Editor,
        (USERS, 3) => caller == Caller::Admin,
        _ => true,
    }
}

/// Whether a value breaks the rules of its column.
fn breaks(table: usize, column: usize, value: &Value) -> bool {
    let text = |least: usize, most: usize| match value {
        Value::Text(text) => !(least..=most).contains(&text.chars().count()) || (least > 0 && text.trim().is_empty()),
        _ => false,
    };
    if value.is_null() {
        return !TABLES[table].columns[column].nullable;
    }
    match (table, column) {
        (EXPENSES, 2 | 6) | (TREES, 1 | 2) | (USERS, 2) => text(1, 200),
        (EXPENSES, 3) => text(0, 2000),
        (SPECIES, 3) => text(1, 50),
        (EXPENSES, 4) => matches!(value, Value::Units(units) if units.unsigned_abs() >= 100_000_000_000_000),
        (EXPENSES, 5) => {
            !matches!(value, Value::Text(text) if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
        }
        (USERS, 3) => !matches!(value, Value::Text(text) if ["user", "editor", "admin"].contains(&&**text)),
        _ => false,
    }
}

/// What a column has that a new row is not given.
pub(super) fn default(table: usize, column: usize) -> Value {
    match (table, column) {
        (EXPENSES, 5) => Value::text("USD"),
        (SPECIES, 4) => Value::Int(0),
        (SPECIES, 6) => Value::Float(1.5),
        (SPECIES, 8) => Value::Bool(false),
        (SPECIES, 12) => Value::text("least concern"),
        _ => Value::Null,
    }
}

/// The columns of a row that the server fills with what it knows alone.
fn filled(table: usize, creates: bool, given: &Given) -> Vec<usize> {
    let named = |column: usize| given.iter().any(|(known, _)| *known == column);
    let all: &[usize] = match (table, creates) {
        (EXPENSES, true) => &[0, 7, 8, 9],
        (EXPENSES, false) => &[9],
        (USERS, _) => &[5],
        (_, true) => &[0],
        _ => &[],
    };
    all.iter().copied().filter(|column| !named(*column)).collect()
}

impl Act {
    /// Whether it gives what must be given: GraphQL asks this of a whole document before anything else.
    pub(super) fn complete(&self) -> bool {
        let rows = match self {
            Self::Create(_, given, _) | Self::Replace(_, _, given) | Self::Put(_, _, given) => {
                std::slice::from_ref(given)
            }
            Self::CreateMany(_, rows, _) => rows.as_slice(),
            _ => &[],
        };
        let given = |row: &Given, column: usize| row.iter().any(|(known, value)| *known == column && !value.is_null());
        rows.iter().all(|row| required(self.table()).iter().all(|column| given(row, *column)))
    }

    /// What it gives its rows.
    fn given(&self) -> &[Given] {
        match self {
            Self::Create(_, given, _)
            | Self::Replace(_, _, given)
            | Self::Put(_, _, given)
            | Self::Update(_, _, given, _)
            | Self::UpdateWhere(_, _, given, _) => std::slice::from_ref(given),
            Self::CreateMany(_, rows, _) => rows.as_slice(),
            Self::Delete(..) | Self::DeleteWhere(..) => &[],
        }
    }

    /// What is decided of a document before any of its fields is run: who may write at all, and which columns.
    pub(super) fn planned(&self, caller: Caller) -> Result<(), Refusal> {
        let (table, rows) = (self.table(), self.given());
        role_may(caller, table)?;
        if !self.complete() {
            return Err(Refusal::Input);
        }
        let closed = rows.iter().flatten().any(|(column, _)| !column_may(caller, table, *column));
        if closed { Err(Refusal::Forbidden) } else { Ok(()) }
    }

    /// What is decided of its rows before any is looked at: values.
    pub(super) fn admitted(&self) -> Result<(), Refusal> {
        let broken = |rows: &[Given]| {
            let mut values = rows.iter().flatten();
            values.any(|(column, value)| breaks(self.table(), *column, value))
        };
        if broken(self.given()) { Err(Refusal::Input) } else { Ok(()) }
    }

    /// The table that is written.
    pub(super) const fn table(&self) -> usize {
        match self {
            Self::Create(table, ..)
            | Self::CreateMany(table, ..)
            | Self::Update(table, ..)
            | Self::Replace(table, ..)
            | Self::Put(table, ..)
            | Self::Delete(table, ..)
            | Self::UpdateWhere(table, ..)
            | Self::DeleteWhere(table, ..) => *table,
        }
    }
}

/// What a replacement gives a row: what it names, and the defaults of what it leaves out and may write.
fn whole(caller: Caller, table: usize, key: &Value, given: &Given, learned: &Learned<'_>) -> Given {
    let mut whole = given.clone();
    for column in 0..TABLES[table].columns.len() {
        let kept = super::act::server_given(table, column) || (FEATURES.kept && !column_may(caller, table, column));
        if !kept && (table, column) != (EXPENSES, 7) && given.iter().all(|(known, _)| *known != column) {
            whole.push((column, default(table, column)));
        }
    }
    if table == EXPENSES && given.iter().all(|(known, _)| *known != 7) {
        whole.extend((learned.told)(Told::Key(key), 7).map(|today| (7, today)));
    }
    whole
}

impl World {
    /// Carries a write out that may be planned.
    pub(super) fn apply(&mut self, caller: Caller, act: &Act, learned: &Learned<'_>) -> Done {
        match act {
            Act::Create(table, given, conflict) => {
                Ok(self.create(caller, *table, given, conflict.as_ref(), learned, 0)?.into_iter().collect())
            }
            Act::CreateMany(table, rows, conflict) => {
                let rows = rows.iter().enumerate();
                let rows = rows.map(|(at, given)| self.create(caller, *table, given, conflict.as_ref(), learned, at));
                Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            Act::Update(table, key, given, state) => {
                let at = self.find(caller, *table, key)?;
                if state.as_ref().is_some_and(|state| *state != self.tables[*table][at][9]) {
                    return Err(Refusal::Conflict);
                }
                Ok(vec![self.change(*table, at, given, learned)?])
            }
            Act::Replace(table, key, given) => {
                let at = self.find(caller, *table, key)?;
                Ok(vec![self.change(*table, at, &whole(caller, *table, key, given, learned), learned)?])
            }
            Act::Put(table, key, given) => match self.tables[*table].iter().position(|row| row[0] == *key) {
                // A key is taken whoever has it.
                Some(at) if !visible(caller, self.me(caller), *table, &self.tables[*table][at]) => {
                    Err(Refusal::Conflict)
                }
                Some(at) if !row_may(self, caller, *table, &self.tables[*table][at]) => Err(Refusal::Forbidden),
                Some(at) => Ok(vec![self.change(*table, at, &whole(caller, *table, key, given, learned), learned)?]),
                // Numbers are the server's to give.
                None if *table == TREES => Err(Refusal::Input),
                None => {
                    let given = given.iter().cloned().chain([(0, key.clone())]).collect();
                    Ok(self.create(caller, *table, &given, None, learned, 0)?.into_iter().collect())
                }
            },
            Act::Delete(table, key, state) => {
                let at = self.find(caller, *table, key)?;
                let row = self.tables[*table][at].clone();
                if state.as_ref().is_some_and(|state| *state != row[9]) {
                    return Err(Refusal::Conflict);
                }
                self.remove(*table, key);
                Ok(vec![row])
            }
            // PostgREST writes nothing where it is given nothing.
            Act::UpdateWhere(_, _, given, _) if learned.rest && given.is_empty() => Ok(Vec::new()),
            Act::UpdateWhere(table, filter, given, most) => {
                let keys = self.matched(caller, *table, filter, *most)?;
                let found = keys.iter().map(|key| self.tables[*table].iter().position(|row| row[0] == *key));
                let found: Vec<usize> = found.map(|at| at.expect("a row")).collect();
                found.into_iter().map(|at| self.change(*table, at, given, learned)).collect()
            }
            Act::DeleteWhere(table, filter, most) => {
                let keys = self.matched(caller, *table, filter, *most)?;
                let rows: Vec<_> = self.tables[*table].iter().filter(|row| keys.contains(&row[0])).cloned().collect();
                keys.iter().for_each(|key| self.remove(*table, key));
                Ok(rows)
            }
        }
    }

    /// Where the row is: one that the caller does not see is not there, one that it may not write is forbidden.
    fn find(&self, caller: Caller, table: usize, key: &Value) -> Result<usize, Refusal> {
        let at = self.tables[table].iter().position(|row| row[0] == *key).ok_or(Refusal::NotFound)?;
        let row = &self.tables[table][at];
        if !visible(caller, self.me(caller), table, row) {
            return Err(Refusal::NotFound);
        }
        if row_may(self, caller, table, row) { Ok(at) } else { Err(Refusal::Forbidden) }
    }

    /// The keys of the rows that a filter names: all that the caller sees, of which it must be allowed to write each,
    /// and no more than it said.
    fn matched(
        &self,
        caller: Caller,
        table: usize,
        filter: &super::request::Filter,
        most: usize,
    ) -> Result<Vec<Value>, Refusal> {
        let view = View { world: self, caller };
        let mut rows = view.rows(table);
        rows.retain(|row| view.is(table, row, filter));
        if rows.len() > most {
            return Err(Refusal::Conflict);
        }
        if !rows.iter().all(|row| row_may(self, caller, table, row)) {
            return Err(Refusal::Forbidden);
        }
        Ok(rows.iter().map(|row| row[0].clone()).collect())
    }

    fn create(
        &mut self,
        caller: Caller,
        table: usize,
        given: &Given,
        conflict: Option<&Conflict>,
        learned: &Learned<'_>,
        number: usize,
    ) -> Result<Option<Row>, Refusal> {
        let key = given.iter().find(|(column, _)| *column == 0).map(|(_, key)| key);
        if let Some(at) = key.and_then(|key| self.tables[table].iter().position(|row| row[0] == *key)) {
            let Some(conflict) = conflict else { return Err(Refusal::Conflict) };
            let row = &self.tables[table][at];
            // A key is taken whoever has it; of whose row it is, a caller learns no more than it sees.
            if conflict.ignore && learned.rest {
                return Ok(None);
            }
            if !visible(caller, self.me(caller), table, row) {
                return Err(Refusal::Conflict);
            }
            if conflict.ignore {
                return Ok(Some(row.clone()));
            }
            if !row_may(self, caller, table, row) {
                return Err(Refusal::Forbidden);
            }
            let named = |column: usize| conflict.update.as_ref().is_none_or(|update| update.contains(&column));
            let given: Given = given.iter().filter(|(column, _)| *column != 0 && named(*column)).cloned().collect();
            return self.change(table, at, &given, learned).map(Some);
        }
        let mut row: Row = (0..TABLES[table].columns.len()).map(|column| default(table, column)).collect();
        if table != TREES {
            row[1] = self.me(caller).cloned().expect("a caller with a key");
        }
        for column in filled(table, true, given) {
            row[column] = (learned.told)(Told::At(number), column).unwrap_or(Value::Null);
        }
        for (column, value) in given {
            row[*column] = value.clone();
        }
        self.refers(table, &row)?;
        self.tables[table].push(row.clone());
        self.compute();
        Ok(Some(row))
    }

    fn change(&mut self, table: usize, at: usize, given: &Given, learned: &Learned<'_>) -> Result<Row, Refusal> {
        let mut row = self.tables[table][at].clone();
        let key = row[0].clone();
        for (column, value) in given {
            row[*column] = value.clone();
        }
        for column in filled(table, false, given) {
            row[column] = (learned.told)(Told::Key(&key), column).unwrap_or(Value::Null);
        }
        self.refers(table, &row)?;
        self.tables[table][at] = row.clone();
        self.compute();
        Ok(row)
    }

    /// A parent must be there.
    fn refers(&self, table: usize, row: &Row) -> Result<(), Refusal> {
        let dangling = table == SPECIES
            && !row[PARENT_ID].is_null()
            && row[PARENT_ID] != row[0]
            && self.tables[SPECIES].iter().all(|other| other[0] != row[PARENT_ID]);
        if dangling { Err(Refusal::Conflict) } else { Ok(()) }
    }

    /// Removes a row, and the species below it, whoever owns them.
    fn remove(&mut self, table: usize, key: &Value) {
        self.tables[table].retain(|row| row[0] != *key);
        if table == SPECIES {
            let children: Vec<_> =
                self.tables[SPECIES].iter().filter(|row| row[PARENT_ID] == *key).map(|row| row[0].clone()).collect();
            children.iter().for_each(|child| self.remove(SPECIES, child));
        }
        self.compute();
    }
}

/// A value as an answer has it; none where it is not of the type.
pub(super) fn read(value: &serde_json::Value, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Int => Value::Int(value.as_i64().or_else(|| value.as_str()?.parse().ok())?),
        Kind::Uuid => Value::text(value.as_str()?),
        Kind::Date => Value::Date(value.as_str()?.parse().ok()?),
        Kind::Time => Value::Time(value.as_str()?.parse().ok()?),
        _ => return None,
    })
}
