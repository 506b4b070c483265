//! Random filters, whose values are mostly those that rows have.

use super::{
    FEATURES,
    ask::Ask,
    random::Random,
    request::{Count, Filter, Leaf, Measure, Sign, Test},
    schema::TABLES,
    value::{Kind, STATUSES, Value},
    world::{TEXTS, day, uuid},
};

const SIGNS: [Sign; 6] = [Sign::Eq, Sign::Neq, Sign::Lt, Sign::Lte, Sign::Gt, Sign::Gte];

/// Regular expressions that are the same everywhere, and match some of the texts.
const EXPRESSIONS: [&str; 10] = ["^a", "o*d$", "a", "^.$", "F.*d", "e", "^under.score$", "^$", "Zz*", "1*0"];

/// Words that texts have, and one that none has.
const WORDS: [&str; 5] = ["food", "Rent", "tree", "nothing", "aa"];

const PATHS: [&[&str]; 9] =
    [&["a"], &["a", "b"], &["n"], &["ok"], &["0"], &["1"], &["a", "0", "b"], &["nothing"], &["a", "b", "c"]];

impl Ask<'_, '_> {
    /// A filter on rows of a table.
    pub(super) fn filter(&mut self, table: usize, depth: usize) -> Filter {
        let relations = TABLES[table].relations;
        match self.random.below(12) {
            0 | 1 if depth > 0 => Filter::And(self.filters(table, depth - 1)),
            2 | 3 if depth > 0 => Filter::Or(self.filters(table, depth - 1)),
            4 | 5 if depth > 0 => Filter::Not(Box::new(self.filter(table, depth - 1))),
            6 | 7 if depth > 0 && !self.rest && !relations.is_empty() => self.related(table, depth),
            _ => self.column(table),
        }
    }

    fn filters(&mut self, table: usize, depth: usize) -> Vec<Filter> {
        // REST cannot say a list of nothing.
        let least = usize::from(self.rest);
        (0..least + self.random.below(4 - least)).map(|_| self.filter(table, depth)).collect()
    }

    fn related(&mut self, table: usize, depth: usize) -> Filter {
        let at = self.random.below(TABLES[table].relations.len());
        let relation = &TABLES[table].relations[at];
        let target = relation.target;
        if FEATURES.measured && relation.many && self.random.chance(50) {
            let bound = self.random.chance(40).then(|| Box::new(self.filter(target, depth - 1)));
            let measure = self.random.pick(&Measure::all(target));
            return Filter::Measured(at, bound, measure, self.measured(target, measure));
        }
        if !FEATURES.related {
            return self.column(table);
        }
        // An empty filter holds of every row that is there.
        let inner = if self.random.chance(15) { Filter::And(Vec::new()) } else { self.filter(target, depth - 1) };
        let count = self.random.pick(&[Count::Some, Count::None, Count::Every]);
        if relation.many { Filter::Many(at, count, Box::new(inner)) } else { Filter::One(at, Box::new(inner)) }
    }

    fn column(&mut self, table: usize) -> Filter {
        let of = &TABLES[table];
        let column = self.random.below(of.columns.len());
        let kind = of.columns[column].kind;
        if !self.rest
            && matches!(kind, Kind::Big | Kind::Decimal(_) | Kind::Date | Kind::Time)
            && self.random.chance(15)
        {
            // Two members of one filter: all that is said holds.
            let (low, high) = (self.operand(table, column), self.operand(table, column));
            let tests = vec![Test::Compare(Sign::Gte, low), Test::Compare(Sign::Lt, high)];
            return Filter::Column(column, tests);
        }
        let operand = self.operand(table, column);
        Filter::Column(column, vec![of_kind(self, kind, operand)])
    }

    /// A value for a column: most are those of a row.
    fn operand(&mut self, table: usize, column: usize) -> Value {
        let rows = &self.world.tables[table];
        let value = &rows[self.random.below(rows.len())][column];
        if value.is_null() || self.random.chance(15) {
            return plain(TABLES[table].columns[column].kind, self.random);
        }
        value.clone()
    }
}

/// A value of a type, whatever rows have.
pub(super) fn plain(kind: Kind, random: &mut Random) -> Value {
    match kind {
        Kind::Int | Kind::Big => Value::Int(random.below(9) as i64 - 2),
        Kind::Float => Value::Float(random.below(9) as f64 / 4.0),
        Kind::Text => Value::text(random.pick(&TEXTS)),
        Kind::Bool => Value::Bool(random.chance(50)),
        Kind::Uuid => uuid(random.below(5), random.below(50)),
        Kind::Date => day(random.pick(&["2025-01-01", "2024-12-30", "0001-01-01", "9999-12-31"])),
        Kind::Time => {
            Value::Time(random.pick(&["2025-01-01T00:00:00Z", "2024-12-30T12:00:00.000001Z"]).parse().expect("a time"))
        }
        Kind::Decimal(_) => Value::Units(random.below(9000) as i128 - 1000),
        Kind::Average(_, more) => Value::Units(10i128.pow(more as u32) * (random.below(9000) as i128 - 1000)),
        Kind::Json => Value::Null,
        Kind::Status => Value::text(random.pick(&STATUSES).1),
    }
}

/// A test that a type has, with the operand or one that is near to it.
pub(super) fn of_kind(ask: &mut Ask<'_, '_>, kind: Kind, operand: Value) -> Test {
    let (random, rest) = (&mut *ask.random, ask.rest);
    if kind == Kind::Json {
        return if FEATURES.paths && random.chance(75) { path(random, rest) } else { Test::Null(random.chance(50)) };
    }
    let ordered = !matches!(kind, Kind::Bool | Kind::Status);
    let signs = if ordered { &SIGNS[..] } else { &SIGNS[..2] };
    let list = |random: &mut Random, operand: Value| {
        let count = random.below(4);
        let mut list: Vec<_> = (0..count).map(|_| plain(kind, random)).collect();
        if count > 0 {
            list[0] = operand;
        }
        list
    };
    match random.below(14) {
        0 | 1 => Test::In(list(random, operand)),
        2 => Test::NotIn(list(random, operand)),
        3 => Test::Null(random.chance(50)),
        4 if rest && FEATURES.rest_distinct => Test::Distinct(operand),
        5 if rest && FEATURES.rest_each && ordered => {
            // PostgREST has no `neq(any)`.
            let (sign, every) = (random.pick(&[Sign::Eq, Sign::Lt, Sign::Lte, Sign::Gt, Sign::Gte]), random.chance(50));
            let mut list = list(random, operand.clone());
            list.push(operand);
            Test::Each(sign, every, list)
        }
        6..=8 if kind == Kind::Text => of_text(random, rest, &operand),
        _ => Test::Compare(random.pick(signs), operand),
    }
}

fn of_text(random: &mut Random, rest: bool, operand: &Value) -> Test {
    let Value::Text(text) = operand else { panic!("{operand:?} is no text") };
    let letters: Vec<char> = text.chars().collect();
    let at = random.below(letters.len().max(1));
    let (head, tail) = letters.split_at(at.min(letters.len()));
    let (head, tail): (String, String) = (head.iter().collect(), tail.iter().collect());
    match random.below(8) {
        0 | 1 if FEATURES.words && !rest => match random.below(3) {
            0 => Test::StartsWith(head),
            1 => Test::EndsWith(tail),
            _ => Test::Contains(if random.chance(50) { head } else { tail }),
        },
        2 if FEATURES.expressions => Test::Match(random.pick(&EXPRESSIONS).to_owned(), rest && random.chance(50)),
        3 if FEATURES.search => Test::Search(random.pick(&WORDS).to_owned()),
        _ => {
            // A backslash at the end would escape nothing.
            let pattern = match random.below(4) {
                0 => text.clone(),
                1 => format!("{head}%"),
                2 => format!("%{tail}"),
                _ => format!("{}_%", head.trim_end_matches('\\')),
            };
            Test::Like(pattern, random.chance(50))
        }
    }
}

fn path(random: &mut Random, rest: bool) -> Test {
    let path = random.pick(&PATHS).iter().map(|step| (*step).to_owned()).collect();
    let leaf = match random.below(if rest { 2 } else { 4 }) {
        0 => Leaf::Null(random.chance(50)),
        1 => {
            let text = random.pick(&["x", "y", "b", "1", "true"]);
            Leaf::Text(Box::new(Test::Compare(random.pick(&SIGNS), Value::text(text))))
        }
        2 => Leaf::Number(random.pick(&SIGNS), random.pick(&[1.0, 1.5, -2.0, 7.0])),
        _ => Leaf::Boolean(random.chance(50)),
    };
    Test::Path(path, leaf)
}
