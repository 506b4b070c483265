//! Random requests: lists, rows, and what is asked of them.

use super::{
    FEATURES,
    conditions::{self, of_kind},
    groups::key_of,
    random::Random,
    request::{Bucket, Connection, Field, GroupKey, Groups, Having, Key, List, Measure, Page, Part, Root, Way},
    schema::{BUDGETS, EXPENSES, SPECIES, TABLES, TREES, USERS},
    value::{Kind, Value},
    world::{World, uuid},
};

/// Makes requests out of chance.
pub(super) struct Ask<'w, 'r> {
    pub(super) world: &'w World,
    pub(super) random: &'r mut Random,
    /// Whether the request is for REST, which has other words.
    pub(super) rest: bool,
}

/// Names for the answer that are not taken yet.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// The name itself if it is free, or another.
    pub(super) fn free(&mut self, name: &str, random: &mut Random) -> String {
        let mut free = if random.chance(12) { format!("{name}_{}", random.below(9)) } else { name.to_owned() };
        while self.0.contains(&free) {
            free.push_str("_x");
        }
        self.0.push(free.clone());
        free
    }
}

impl Ask<'_, '_> {
    /// A root field.
    pub(super) fn root(&mut self) -> Root {
        match self.random.below(12) {
            0 => Root::Me(self.fields(USERS, 2)),
            1 | 2 => {
                let table = self.table();
                let rows = &self.world.tables[table];
                let key = rows[self.random.below(rows.len())][0].clone();
                let absent = if table == TREES { Value::Int(999) } else { uuid(7, 7) };
                let key = if self.random.chance(85) { key } else { absent };
                let fields = self.fields(table, 2);
                if self.random.chance(50) { Root::Row(table, key, fields) } else { Root::Node(table, key, fields) }
            }
            _ => {
                let table = self.table();
                Root::List(self.connection(table, 2))
            }
        }
    }

    /// A table: those with more to them more often.
    pub(super) fn table(&mut self) -> usize {
        self.random.pick(&[USERS, EXPENSES, EXPENSES, EXPENSES, TREES, SPECIES, SPECIES, SPECIES, BUDGETS, BUDGETS])
    }

    /// A list, and what is told of it; `depth` levels below it may have lists of their own.
    pub(super) fn connection(&mut self, table: usize, depth: usize) -> Connection {
        let list = self.list(table);
        let mut names = Names::default();
        let count = 1 + self.random.below(3);
        let mut parts = Vec::new();
        for _ in 0..count {
            let (name, part) = match self.random.below(14) {
                0..=2 => ("totalCount", Part::TotalCount),
                3 => ("__typename", Part::TypeName),
                4 => ("edges", Part::Edges(self.fields(table, depth))),
                5 | 6 => ("pageInfo", Part::PageInfo),
                7 | 8 if FEATURES.aggregates => {
                    let all = Measure::all(table);
                    let count = 1 + self.random.below(5);
                    ("aggregate", Part::Aggregate(self.random.some(&all, count)))
                }
                9 | 10 if FEATURES.groups => ("groups", Part::Groups(self.groups(table))),
                _ => ("nodes", Part::Nodes(self.fields(table, depth))),
            };
            parts.push((names.free(name, self.random), part));
        }
        if !FEATURES.bare && parts.iter().all(|(_, part)| matches!(part, Part::TypeName)) {
            parts.push((names.free("totalCount", self.random), Part::TotalCount));
        }
        Connection { list, parts }
    }

    pub(super) fn list(&mut self, table: usize) -> List {
        let filter = self.random.chance(65).then(|| self.filter(table, 2));
        let order = self.order(table);
        let page = match self.random.below(10) {
            0 | 1 => Page::default(),
            2 | 3 if !self.rest => Page { last: Some(self.random.below(9)), ..Page::default() },
            4 => Page { first: Some(100), ..Page::default() },
            5 => Page { first: Some(self.random.below(30)), offset: self.random.below(40), ..Page::default() },
            _ => Page { first: Some(self.random.below(12)), ..Page::default() },
        };
        List { table, filter, order, page }
    }

    pub(super) fn order(&mut self, table: usize) -> Vec<(Key, Way)> {
        let count = self.random.pick(&[0, 1, 1, 2, 3]);
        (0..count).map(|_| (self.key(table, 2), self.way())).collect()
    }

    fn key(&mut self, table: usize, depth: usize) -> Key {
        let of = &TABLES[table];
        if depth > 0 && !of.relations.is_empty() && self.random.chance(30) {
            let relation = self.random.below(of.relations.len());
            let (many, target) = (of.relations[relation].many, of.relations[relation].target);
            let said = if self.rest { FEATURES.rest_order } else { FEATURES.order };
            if !many && said {
                // REST names a column of the related row, and goes no further.
                let depth = if self.rest { 0 } else { depth - 1 };
                return Key::One(relation, Box::new(self.key(target, depth)));
            }
            if many && FEATURES.measured_order && !self.rest {
                return Key::Many(relation, self.random.pick(&Measure::all(target)));
            }
        }
        Key::Column(self.random.pick(&of.having(|_, column| column.kind != Kind::Json)))
    }

    pub(super) fn way(&mut self) -> Way {
        let nulls_first = if self.random.chance(40) { Some(self.random.chance(50)) } else { None };
        Way { descending: self.random.chance(50), nulls_first }
    }

    /// Fields of a row, of its relations too if there is depth left.
    pub(super) fn fields(&mut self, table: usize, depth: usize) -> Vec<(String, Field)> {
        let of = &TABLES[table];
        let mut names = Names::default();
        let mut fields = Vec::new();
        for _ in 0..1 + self.random.below(5) {
            let (name, field) = match self.random.below(12) {
                0 => ("__typename".to_owned(), Field::TypeName),
                1 => ("nodeId".to_owned(), Field::NodeId),
                2 | 3 if depth > 0 && !of.relations.is_empty() => {
                    let at = self.random.below(of.relations.len());
                    let relation = &of.relations[at];
                    let field = if relation.many {
                        Field::Many(at, self.connection(relation.target, depth - 1))
                    } else {
                        Field::One(at, self.fields(relation.target, depth - 1))
                    };
                    (relation.name.to_owned(), field)
                }
                _ => {
                    let column = self.random.below(of.columns.len());
                    (of.field(column), Field::Column(column))
                }
            };
            fields.push((names.free(&name, self.random), field));
        }
        fields
    }

    /// Keys for groups: columns but the key, and parts of days.
    pub(super) fn by(&mut self, table: usize, buckets: bool) -> Vec<(usize, Option<Bucket>)> {
        let mut all = Vec::new();
        for (index, column) in TABLES[table].columns.iter().enumerate().skip(1) {
            match column.kind {
                Kind::Json => {}
                Kind::Date | Kind::Time if buckets => {
                    all.push((index, None));
                    all.extend(Bucket::ALL.map(|bucket| (index, Some(bucket))));
                }
                _ => all.push((index, None)),
            }
        }
        let count = self.random.pick(&[1, 1, 2, 3]);
        self.random.some(&all, count)
    }

    fn groups(&mut self, table: usize) -> Groups {
        let by = self.by(table, true);
        let all = Measure::all(table);
        let buckets = by.iter().filter(|(_, bucket)| bucket.is_some()).count();
        let mut having = self.random.chance(35).then(|| self.having(table, 1));
        let fill = (FEATURES.fill && buckets == 1 && (by.len() == 1 || FEATURES.fill_across) && self.random.chance(60))
            .then(|| {
                having = None;
                self.span(table, &by)
            });
        let order = (0..self.random.pick(&[0, 0, 1, 2])).map(|_| {
            let key = if self.random.chance(50) {
                GroupKey::Key(self.random.below(by.len()))
            } else {
                GroupKey::Measure(self.random.pick(&all))
            };
            (key, self.way())
        });
        let order = order.collect();
        let count = 1 + self.random.below(4);
        let first = self.random.chance(30).then(|| self.random.below(8));
        Groups { having, order, first, fill, tell: self.random.some(&all, count), by }
    }

    /// A span of days that holds some rows and leaves others out, and has few buckets.
    fn span(&mut self, table: usize, by: &[(usize, Option<Bucket>)]) -> (Value, Value) {
        let (column, bucket) = *by.iter().find(|(_, bucket)| bucket.is_some()).expect("a bucket");
        let days: Vec<_> =
            self.world.tables[table].iter().map(|row| key_of(row, (column, Some(Bucket::Day)))).collect();
        let days: Vec<_> = days.into_iter().filter(|day| !day.is_null()).collect();
        let Value::Date(from) = days[self.random.below(days.len())] else { panic!("no day") };
        let length = match bucket {
            Some(Bucket::Day) => self.random.below(9),
            Some(Bucket::Week) => self.random.below(40),
            _ => self.random.below(400),
        };
        (Value::Date(from), Value::Date(from + chrono::Days::new(length as u64)))
    }

    fn having(&mut self, table: usize, depth: usize) -> Having {
        match self.random.below(6) {
            0 if depth > 0 => Having::And(vec![self.having(table, 0), self.having(table, 0)]),
            1 if depth > 0 => Having::Or(vec![self.having(table, 0), self.having(table, 0)]),
            2 if depth > 0 => Having::Not(Box::new(self.having(table, 0))),
            _ => {
                let measure = self.random.pick(&Measure::all(table));
                Having::Measured(measure, self.measured(table, measure))
            }
        }
    }

    /// A test of what a measure of rows of the table comes to.
    pub(super) fn measured(&mut self, table: usize, measure: Measure) -> Vec<super::request::Test> {
        let kind = measure.kind(table);
        let rows = &self.world.tables[table];
        let few: Vec<_> = (0..1 + self.random.below(4)).map(|_| &rows[self.random.below(rows.len())]).collect();
        let value = measure.of(table, &few);
        let wide = kind == Kind::Decimal(2)
            && matches!(value, Value::Units(units) if units.unsigned_abs() >= 100_000_000_000_000);
        let other = value.is_null() || (wide && !FEATURES.wide);
        let value = if other { conditions::plain(kind, self.random) } else { value };
        vec![of_kind(self, kind, value)]
    }
}
