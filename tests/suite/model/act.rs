//! Random writes: good ones, and ones that must be refused.

use super::{
    FEATURES,
    ask::Ask,
    conditions::plain,
    random::Random,
    request::{Filter, Sign, Test},
    schema::{EXPENSES, OWNER_ID, PARENT_ID, SPECIES, TABLES, TREES, USER_ID, USERS},
    value::{Kind, Value},
    world::{Row, TEXTS, uuid},
};
use crate::support::Caller;

/// What an input says: a value for some of the columns.
pub(super) type Given = Vec<(usize, Value)>;

/// A write.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Create(usize, Given, Option<Conflict>),
    /// Several rows, all of them or none.
    CreateMany(usize, Vec<Given>, Option<Conflict>),
    /// The key, the changes, and the state in which the row must be.
    Update(usize, Value, Given, Option<Value>),
    /// REST's PUT: what is not given gets its default.
    Replace(usize, Value, Given),
    /// REST's PUT of a list: the row with the key is added, if there is none, or replaced.
    Put(usize, Value, Given),
    Delete(usize, Value, Option<Value>),
    UpdateWhere(usize, Filter, Given, usize),
    DeleteWhere(usize, Filter, usize),
}

/// What becomes of a row whose key is taken.
#[derive(Debug, Clone)]
pub(super) struct Conflict {
    /// It stays as it is.
    pub(super) ignore: bool,
    /// The columns that get the input's values; all of the input without.
    pub(super) update: Option<Vec<usize>>,
}

/// The columns that no input of a table has, and the key.
pub(super) const fn server_given(table: usize, column: usize) -> bool {
    match table {
        USERS => !matches!(column, 2 | 3),
        EXPENSES => matches!(column, 0 | USER_ID | 8 | 9),
        SPECIES => matches!(column, 0 | OWNER_ID),
        _ => column == 0,
    }
}

/// The columns that a new row must be given.
pub(super) const fn required(table: usize) -> &'static [usize] {
    match table {
        EXPENSES => &[2, 4],
        SPECIES => &[3, 10],
        TREES => &[1, 2],
        _ => &[],
    }
}

impl Ask<'_, '_> {
    /// A write by a caller, who may do it most of the time.
    pub(super) fn act(&mut self, caller: Caller) -> Act {
        let table = self.random.pick(&[EXPENSES, EXPENSES, EXPENSES, SPECIES, SPECIES, TREES, USERS]);
        let table = if table == USERS && self.random.chance(40) { EXPENSES } else { table };
        let more = if FEATURES.writes { 12 } else { 8 };
        match self.random.below(more) {
            _ if table == USERS => self.update(table, caller),
            0..=2 => Act::Create(table, self.row(table, caller), self.conflict(table)),
            3..=5 => self.update(table, caller),
            6 if self.rest => {
                let (key, row) = (self.target(table, caller), self.row_without_key(table, caller));
                if self.random.chance(50) { Act::Put(table, key, row) } else { Act::Replace(table, key, row) }
            }
            6 | 7 => {
                let key = self.target(table, caller);
                let at = self.state(table, &key);
                Act::Delete(table, key, at)
            }
            8 => {
                let count = self.random.below(4);
                let rows = (0..count).map(|_| self.row(table, caller)).collect();
                let rows = if self.rest { alike(rows) } else { rows };
                let rows = apart(rows);
                Act::CreateMany(table, rows, self.conflict(table))
            }
            9 | 10 => {
                let filter = self.few(table, caller);
                Act::UpdateWhere(table, filter, self.changes(table, caller), self.random.below(5))
            }
            _ => Act::DeleteWhere(table, self.few(table, caller), self.random.below(4)),
        }
    }

    fn update(&mut self, table: usize, caller: Caller) -> Act {
        let key = self.target(table, caller);
        let mut changes = self.changes(table, caller);
        if table == USERS && self.world.people.iter().any(|(_, known)| *known == key) {
            // Who asks keeps the role in which it asks: only the refusal is tried.
            changes.retain(|(column, _)| *column != 3 || caller != Caller::Admin);
        }
        let at = self.state(table, &key);
        Act::Update(table, key, changes, at)
    }

    fn conflict(&mut self, table: usize) -> Option<Conflict> {
        if !FEATURES.upserts || table == TREES || self.random.chance(60) {
            return None;
        }
        let ignore = self.random.chance(30);
        let all = TABLES[table].having(|column, _| !server_given(table, column) && column != 18);
        let update = (!ignore && !self.rest && self.random.chance(40)).then(|| {
            let count = 1 + self.random.below(3);
            self.random.some(&all, count)
        });
        Some(Conflict { ignore, update })
    }

    /// The state that a client has read of a row: its own, another, or none.
    fn state(&mut self, table: usize, key: &Value) -> Option<Value> {
        if !FEATURES.states || self.rest || table != EXPENSES || self.random.chance(75) {
            return None;
        }
        let row = self.world.tables[table].iter().find(|row| row[0] == *key)?;
        Some(if self.random.chance(60) { row[9].clone() } else { row[8].clone() })
    }

    /// The key of a row: of the caller's own most of the time, of somebody else's, or of none.
    fn target(&mut self, table: usize, caller: Caller) -> Value {
        let (rows, me) = (&self.world.tables[table], self.world.me(caller));
        let own: Vec<&Row> = match table {
            USERS => rows.iter().filter(|row| Some(&row[0]) == me).collect(),
            TREES => rows.iter().collect(),
            _ => rows.iter().filter(|row| Some(&row[1]) == me).collect(),
        };
        if !own.is_empty() && self.random.chance(65) {
            return own[self.random.below(own.len())][0].clone();
        }
        if self.random.chance(12) || rows.is_empty() {
            return if table == TREES { Value::Int(99_999) } else { uuid(8, self.random.below(1000)) };
        }
        rows[self.random.below(rows.len())][0].clone()
    }

    /// A filter that few rows meet.
    fn few(&mut self, table: usize, caller: Caller) -> Filter {
        let keys: Vec<_> = (0..self.random.below(4)).map(|_| self.target(table, caller)).collect();
        let keys = Filter::Column(0, vec![Test::In(keys)]);
        match self.random.below(4) {
            0 => Filter::And(vec![keys, self.filter(table, 1)]),
            1 if table == EXPENSES => {
                let amount = plain(Kind::Decimal(2), self.random);
                Filter::Column(4, vec![Test::Compare(Sign::Eq, amount)])
            }
            _ => keys,
        }
    }

    fn row(&mut self, table: usize, caller: Caller) -> Given {
        let mut given = self.row_without_key(table, caller);
        if table != TREES && self.random.chance(40) {
            let key =
                if self.random.chance(65) { self.target(table, caller) } else { uuid(8, self.random.below(1000)) };
            given.push((0, key));
        }
        given
    }

    fn row_without_key(&mut self, table: usize, caller: Caller) -> Given {
        let mut given = Given::new();
        for column in required(table) {
            if !self.random.chance(2) || !may_err(caller, table) {
                given.push((*column, self.given(table, *column, caller)));
            }
        }
        for (column, value) in self.changes(table, caller) {
            if given.iter().all(|(known, _)| *known != column) {
                given.push((column, value));
            }
        }
        given
    }

    /// Values for some columns.
    fn changes(&mut self, table: usize, caller: Caller) -> Given {
        let columns = TABLES[table].having(|column, _| !server_given(table, column));
        let columns: Vec<_> = columns.into_iter().filter(|column| self.may_name(table, *column, caller)).collect();
        let count = self.random.below(5);
        let columns = self.random.some(&columns, count);
        columns.into_iter().map(|column| (column, self.given(table, column, caller))).collect()
    }

    /// A rank and a role are named by those who may set them, and rarely by others.
    fn may_name(&mut self, table: usize, column: usize, caller: Caller) -> bool {
        match (table, column) {
            (SPECIES, 18) => caller == Caller::Editor || self.random.chance(4),
            (USERS, 3) => caller == Caller::Admin || self.random.chance(10),
            _ => true,
        }
    }

    /// A value for a column; now and then one that breaks its rules.
    fn given(&mut self, table: usize, column: usize, caller: Caller) -> Value {
        let of = &TABLES[table].columns[column];
        if may_err(caller, table) && self.random.chance(3) {
            return match of.kind {
                Kind::Text => Value::Text(self.random.pick(&["", " \n", "usd", "ÄÖÜ"]).to_owned()),
                Kind::Decimal(2) => Value::Units(100_000_000_000_000),
                Kind::Uuid => uuid(6, 6),
                _ => Value::Null,
            };
        }
        if of.nullable && self.random.chance(25) {
            return Value::Null;
        }
        match (table, column) {
            (USERS, 3) => Value::text(self.random.pick(&["user", "editor", "admin"])),
            (EXPENSES, 5) => Value::text(self.random.pick(&["USD", "EUR", "NPR"])),
            (SPECIES, PARENT_ID) => {
                let own: Vec<_> = self.world.tables[SPECIES]
                    .iter()
                    .filter(|row| Some(&row[OWNER_ID]) == self.world.me(caller))
                    .collect();
                if own.is_empty() { Value::Null } else { own[self.random.below(own.len())][0].clone() }
            }
            _ => match of.kind {
                Kind::Json => Value::Json(
                    self.random.pick(&["{\"a\":[1,2]}", "null_", "[]", "\"x\"", "1.5"]).replace("null_", "7"),
                ),
                Kind::Text => Value::text(self.random.pick(&TEXTS)),
                kind => plain(kind, self.random),
            },
        }
    }
}

/// Whether an error of the input is what the caller would be told.
fn may_err(caller: Caller, table: usize) -> bool {
    match caller {
        Caller::Anonymous => false,
        Caller::User | Caller::Other => table != TREES,
        Caller::Editor | Caller::Admin => true,
    }
}

/// Rows that all name the columns that the first one names, as PostgREST asks.
fn alike(rows: Vec<Given>) -> Vec<Given> {
    let Some(first) = rows.first().cloned() else { return rows };
    let named = |row: &Given| {
        let value = |column: usize| row.iter().find(|(known, _)| *known == column).map(|(_, value)| value.clone());
        first
            .iter()
            .filter(|(column, _)| *column != 0)
            .map(|(column, own)| (*column, value(*column).unwrap_or_else(|| own.clone())))
            .collect()
    };
    rows.iter().map(named).collect()
}

/// Rows without those whose key an earlier one has: which of them counts is not said.
fn apart(rows: Vec<Given>) -> Vec<Given> {
    let mut known: Vec<Value> = Vec::new();
    let mut new = |row: &Given| match row.iter().find(|(column, _)| *column == 0) {
        Some((_, key)) if known.contains(key) => false,
        Some((_, key)) => {
            known.push(key.clone());
            true
        }
        None => true,
    };
    rows.into_iter().filter(|row| new(row)).collect()
}

/// The choices of a step: who acts, and by which protocol.
pub(super) fn actor(random: &mut Random) -> (Caller, bool) {
    use Caller::{Admin, Anonymous, Editor, Other, User};
    (random.pick(&[User, User, User, User, Other, Other, Editor, Editor, Admin, Anonymous]), random.chance(40))
}
