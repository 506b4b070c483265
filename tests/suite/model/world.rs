//! The rows of the world: few enough to look through, and odd in every way that a column allows.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate};

use super::{
    random::Random,
    schema::{BUDGETS, COMPUTED, EXPENSES, SPECIES, TABLES, TREES, USERS},
    value::{STATUSES, Value},
};
use crate::support::{Caller, Server};

/// A row: a value for each column of its table.
pub(super) type Row = Vec<Value>;

/// All rows of all tables, and who is who.
#[derive(Clone)]
pub(super) struct World {
    pub(super) tables: [Vec<Row>; 5],
    pub(super) people: Vec<(Caller, Value)>,
}

/// Texts with ties, with what has a meaning in patterns, URLs and JSON, and of other scripts.
pub(super) const TEXTS: [&str; 22] = [
    "a",
    "A",
    "b",
    "aa",
    "Food",
    "food",
    "Rent",
    "100%",
    "100",
    "under_score",
    "underXscore",
    "back\\slash",
    "quo\"te",
    "a,b(c)",
    "Ärger",
    "äpfel",
    "日本",
    "🌳 tree",
    "it's",
    "null",
    " x ",
    "a.b:c&d=e+f",
];

/// A category: few, so that there are groups.
const CATEGORIES: [&str; 6] = ["Food", "food", "Rent", "Ärger", "a,b(c)", "100%"];
const CURRENCIES: [&str; 4] = ["USD", "EUR", "NPR", "JPY"];

/// Amounts in cents: ties, both ends, zero, and the smallest on either side of it.
const AMOUNTS: [i128; 14] =
    [0, 1, -1, 10, 4558, 4558, 4559, 100, 120_000, -300, 99_999_999_999_999, -99_999_999_999_999, 33, 1000];

/// Days at the edges of months, quarters, years and ISO weeks.
const DAYS: [&str; 16] = [
    "2024-02-29",
    "2024-02-28",
    "2024-03-01",
    "2024-12-29",
    "2024-12-30",
    "2024-12-31",
    "2025-01-01",
    "2025-01-05",
    "2025-01-06",
    "2023-12-31",
    "2021-01-03",
    "2026-01-31",
    "2026-01-31",
    "2026-03-31",
    "2026-04-01",
    "2025-06-15",
];

const FLOATS: [f64; 10] = [0.0, 0.1, 0.2, -1.5, 1.5, 1e21, -1e21, 1e-7, 2.0 / 3.0, 123_456_789.125];
const POPULATIONS: [i64; 8] = [0, 1, -1, 7, 7, 9_007_199_254_740_993, -9_007_199_254_740_993, 1_000_000_000_000_000];
const DENSITIES: [i128; 7] = [0, 1, -1, 1_500_000, 1_500_000, 333_333, -2_000_000_000];
const JSONS: [&str; 12] = [
    r#"{"a":{"b":"x"},"n":1}"#,
    r#"{"a":{"b":"y"},"n":1.5}"#,
    r#"{"a":{"b":null},"n":"1"}"#,
    r#"{"a":"b","ok":true}"#,
    r#"{"ok":false,"n":-2}"#,
    r#"[1,"x",null]"#,
    r#"["x"]"#,
    "7",
    "\"x\"",
    "true",
    "{}",
    r#"{"a":[{"b":"x"}]}"#,
];

pub(super) fn day(text: &str) -> Value {
    Value::Date(text.parse().expect("a date"))
}

/// A key whose bytes are not in the order of the numbers.
pub(super) fn uuid(table: usize, number: usize) -> Value {
    let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (a, b, c) = (mixed >> 32, mixed >> 16 & 0xffff, mixed & 0xfff);
    Value::Text(format!("{a:08x}-{b:04x}-4{c:03x}-8000-{table:04x}{number:08x}"))
}

fn maybe(random: &mut Random, percent: usize, value: Value) -> Value {
    if random.chance(percent) { value } else { Value::Null }
}

fn instant(random: &mut Random) -> Value {
    let day: NaiveDate = random.pick(&DAYS).parse().expect("a date");
    let times = [0, 1, 86_399_999_999, 43_200_000_000, 43_200_000_001];
    let at = day.and_time(chrono::NaiveTime::MIN).and_utc() + Duration::microseconds(random.pick(&times));
    Value::Time(at)
}

fn text(random: &mut Random, list: &[&str]) -> Value {
    Value::text(random.pick(list))
}

impl World {
    /// The rows of a seed, around the people and the trees that every server has.
    pub(super) async fn of(server: &Server, seed: u64) -> Self {
        let mut random = Random::of(seed, u64::MAX / 2);
        let people: Vec<_> = [Caller::User, Caller::Other, Caller::Editor, Caller::Admin]
            .map(|caller| (caller, Value::text(&server.person(caller).id)))
            .into();
        let mut tables = [const { Vec::new() }; 5];
        let start = Value::Time(DateTime::from_timestamp_micros(1_767_225_600_000_000).expect("an instant"));
        for (caller, id) in &people {
            let person = server.person(*caller);
            let (email, name, role) = (&person.email, &person.name, &person.role);
            let text = |text: &String| Value::text(text);
            tables[USERS].push(vec![id.clone(), text(email), text(name), text(role), start.clone(), start.clone()]);
        }
        for (number, name) in [None, Some("Ann"), Some("Äda"), None, Some("100%")].into_iter().enumerate() {
            let email =
                if number.is_multiple_of(2) { Value::Null } else { Value::Text(format!("p{number}@example.com")) };
            let name = name.map_or(Value::Null, Value::text);
            let (made, changed) = (instant(&mut random), instant(&mut random));
            tables[USERS].push(vec![uuid(USERS, number), email, name, Value::text("user"), made, changed]);
        }
        // Most are Ann's; the last two users have none.
        let owners = [0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6];
        for number in 0..64 {
            let row = vec![
                uuid(EXPENSES, number),
                tables[USERS][random.pick(&owners)][0].clone(),
                text(&mut random, &TEXTS),
                match random.below(10) {
                    0..4 => Value::Null,
                    4 => Value::text(""),
                    _ => text(&mut random, &TEXTS),
                },
                Value::Units(random.pick(&AMOUNTS)),
                text(&mut random, &CURRENCIES),
                match random.below(4) {
                    0 => Value::Null,
                    _ => text(&mut random, &CATEGORIES),
                },
                day(random.pick(&DAYS)),
                instant(&mut random),
                instant(&mut random),
            ];
            tables[EXPENSES].push(row);
        }
        let planted = server.get(Caller::Anonymous, "/trees?order=id").await.expect(200).json();
        for tree in planted.as_array().expect("trees") {
            let text = |name: &str| Value::text(tree[name].as_str().expect("a text"));
            tables[TREES].push(vec![Value::Int(tree["id"].as_i64().expect("a key")), text("name"), text("species")]);
        }
        for number in 0..26 {
            let row = vec![Value::Int(5 + number), text(&mut random, &TEXTS), text(&mut random, &TEXTS[..8])];
            tables[TREES].push(row);
        }
        for number in 0..40 {
            let row = species(&mut random, number, &tables);
            tables[SPECIES].push(row);
        }
        tables[BUDGETS] = budgets(&mut random, &tables);
        let mut world = Self { tables, people };
        world.compute();
        world
    }

    /// Computes the columns that no table has: what of each budget is spent, and what remains.
    pub(super) fn compute(&mut self) {
        let [_, expenses, _, _, budgets] = &mut self.tables;
        for budget in budgets {
            let spent = expenses.iter().filter(|expense| {
                let (Value::Date(month), Value::Date(day)) = (&budget[3], &expense[7]) else { return false };
                let same = expense[1] == budget[1] && expense[6] == budget[2] && expense[5] == budget[5];
                same && (day.year(), day.month()) == (month.year(), month.month())
            });
            let units = |value: &Value| if let Value::Units(units) = value { *units } else { 0 };
            let spent = spent.map(|expense| units(&expense[4])).sum();
            budget[9] = Value::Units(units(&budget[4]) - spent);
            budget[8] = Value::Units(spent);
        }
    }

    /// The statements that make a server's database this world.
    pub(super) fn sql(&self, sqlite: bool) -> Vec<String> {
        let mut statements = Vec::new();
        let known = self.people.len();
        for (_, id) in &self.people {
            let (id, row) = (id.sql(TABLES[USERS].columns[0].kind, sqlite), &self.tables[USERS][0]);
            let at = row[4].sql(TABLES[USERS].columns[4].kind, sqlite);
            statements.push(format!("update users set created_at = {at}, updated_at = {at} where id = {id}"));
        }
        for (index, table) in TABLES.iter().enumerate() {
            // The database gives trees their keys.
            let (rows, first) = match index {
                USERS => (&self.tables[index][known..], 0),
                TREES => (&self.tables[index][4..], 1),
                _ => (&self.tables[index][..], 0),
            };
            // No table has what is computed.
            let columns = if index == BUDGETS { &table.columns[..COMPUTED] } else { table.columns };
            let names: Vec<_> = columns[first..].iter().map(|column| column.name).collect();
            for row in rows {
                let values: Vec<_> =
                    row.iter().zip(columns).skip(first).map(|(value, column)| value.sql(column.kind, sqlite)).collect();
                let (names, values) = (names.join(", "), values.join(", "));
                statements.push(format!("insert into {} ({names}) values ({values})", table.name));
            }
        }
        statements
    }

    /// The key of a caller.
    pub(super) fn me(&self, caller: Caller) -> Option<&Value> {
        self.people.iter().find(|(person, _)| *person == caller).map(|(_, id)| id)
    }
}

/// Budgets, of which no two are for the same: most of what somebody has spent something on.
fn budgets(random: &mut Random, tables: &[Vec<Row>; 5]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for number in 0..48 {
        let expense = &tables[EXPENSES][random.below(tables[EXPENSES].len())];
        let Value::Date(day) = &expense[7] else { continue };
        let other = text(random, &CATEGORIES);
        let category = if random.chance(80) { expense[6].clone() } else { other };
        let row = vec![
            uuid(BUDGETS, number),
            expense[1].clone(),
            category,
            Value::Date(day.with_day(1).expect("the first of a month")),
            Value::Units(random.pick(&AMOUNTS).max(0)),
            expense[5].clone(),
            instant(random),
            instant(random),
            Value::Null,
            Value::Null,
        ];
        let same = |other: &Row| [1, 2, 3, 5].iter().all(|column| other[*column] == row[*column]);
        if !row[2].is_null() && !rows.iter().any(same) {
            rows.push(row);
        }
    }
    rows
}

/// A species whose parent, if it has one, is an earlier one: NULLs everywhere they may be.
fn species(random: &mut Random, number: usize, tables: &[Vec<Row>; 5]) -> Row {
    let parent = if number == 0 { 0 } else { random.below(number.min(9)) };
    let parent = if number == 0 { Value::Null } else { tables[SPECIES][parent][0].clone() };
    let owner = random.pick(&[0, 0, 0, 1, 2, 3]);
    let status = |random: &mut Random| Value::text(random.pick(&STATUSES).1);
    let (population, height, density) = (random.pick(&POPULATIONS), random.pick(&FLOATS), random.pick(&DENSITIES));
    let (population_before, height_before) = (random.pick(&POPULATIONS), random.pick(&FLOATS));
    let (before, seen_on, seen_at) = (status(random), day(random.pick(&DAYS)), instant(random));
    vec![
        uuid(SPECIES, number),
        tables[USERS][owner][0].clone(),
        maybe(random, 75, parent),
        text(random, &TEXTS),
        Value::Int(population),
        maybe(random, 60, Value::Int(population_before)),
        Value::Float(height),
        maybe(random, 60, Value::Float(height_before)),
        Value::Bool(number.is_multiple_of(3)),
        maybe(random, 60, Value::Bool(number.is_multiple_of(2))),
        Value::Json(random.pick(&JSONS).to_owned()),
        match random.below(3) {
            0 => Value::Null,
            _ => Value::Json(random.pick(&JSONS).to_owned()),
        },
        status(random),
        maybe(random, 60, before),
        maybe(random, 70, Value::Units(density)),
        maybe(random, 70, seen_on),
        maybe(random, 70, seen_at),
        match random.below(3) {
            0 => Value::Null,
            at => uuid(9, at),
        },
        match random.below(5) {
            4 => Value::Null,
            rank => Value::Int(rank as i64 - 1),
        },
    ]
}
