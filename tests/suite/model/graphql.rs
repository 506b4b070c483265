//! A request in GraphQL: a document, and the variables that it was given.

use super::{
    answer::node_id,
    groups::name,
    measure::by_name,
    random::Random,
    request::{
        Connection, Count, Field, Filter, GroupKey, Groups, Having, Key, Leaf, List, Measure, Part, Root, Sign, Test,
        Way,
    },
    schema::{TABLES, Table, camel},
    value::{Kind, STATUSES, Value, string},
};

/// A value of an input: as a literal in a document, or as JSON among its variables.
pub(super) enum Input {
    /// A JSON token, the same in both.
    Token(String),
    /// A member of an enum.
    Name(String),
    List(Vec<Input>),
    Object(Vec<(String, Input)>),
}

impl Input {
    pub(super) fn one(name: &str, input: Self) -> Self {
        Self::Object(vec![(name.to_owned(), input)])
    }

    /// As text: a literal, or JSON.
    pub(super) fn text(&self, literal: bool) -> String {
        match self {
            Self::Token(token) => token.clone(),
            Self::Name(name) if literal => name.clone(),
            Self::Name(name) => string(name),
            Self::List(items) => {
                format!("[{}]", items.iter().map(|item| item.text(literal)).collect::<Vec<_>>().join(","))
            }
            Self::Object(members) => {
                let name = |name: &str| if literal { name.to_owned() } else { string(name) };
                let members = members.iter().map(|(member, input)| format!("{}:{}", name(member), input.text(literal)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// A value of a type.
pub(super) fn value(value: &Value, kind: Kind) -> Input {
    match (value, kind) {
        (Value::Text(text), Kind::Status) => {
            let member = STATUSES.iter().find(|(_, status)| status == text).expect("a status");
            Input::Name(member.0.to_owned())
        }
        _ => Input::Token(value.json(kind, true)),
    }
}

/// What is being written: the text so far, and the variables.
pub(super) struct Writer<'r> {
    random: &'r mut Random,
    declared: Vec<String>,
    variables: Vec<String>,
}

/// A document, and its variables as JSON.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) variables: String,
}

/// The document of root fields, each under its name.
pub(super) fn document(roots: &[(String, Root)], random: &mut Random) -> Document {
    let mut writer = Writer::new(random);
    let fields: Vec<_> = roots.iter().map(|(name, root)| writer.root(name, root)).collect();
    writer.finish("query", &fields)
}

impl<'r> Writer<'r> {
    pub(super) fn new(random: &'r mut Random) -> Self {
        Self { random, declared: Vec::new(), variables: Vec::new() }
    }

    /// The whole document.
    pub(super) fn finish(self, operation: &str, fields: &[String]) -> Document {
        let declared = if self.declared.is_empty() { String::new() } else { format!("({})", self.declared.join(", ")) };
        Document {
            text: format!("{operation}{declared} {{ {} }}", fields.join(" ")),
            variables: format!("{{{}}}", self.variables.join(",")),
        }
    }

    /// An input where a document has it: as a literal, or as a variable of the type.
    pub(super) fn input(&mut self, input: &Input, ty: &str) -> String {
        if self.random.chance(50) {
            return input.text(true);
        }
        self.variable(input, ty)
    }

    /// An input as a variable of the type.
    pub(super) fn variable(&mut self, input: &Input, ty: &str) -> String {
        let name = format!("v{}", self.declared.len());
        self.declared.push(format!("${name}: {ty}"));
        self.variables.push(format!("\"{name}\":{}", input.text(false)));
        format!("${name}")
    }

    fn root(&mut self, name: &str, root: &Root) -> String {
        match root {
            Root::List(connection) => {
                let inner = self.connection(connection);
                format!("{name}: {}{inner}", TABLES[connection.list.table].many)
            }
            Root::Row(table, key, fields) => {
                let key = self.input(&Input::Token(string(&key.plain(TABLES[*table].columns[0].kind))), "ID!");
                format!("{name}: {}(id: {key}) {}", TABLES[*table].one, self.fields(*table, fields))
            }
            Root::Node(table, key, fields) => {
                let id = self.input(&Input::Token(node_id(*table, key)), "ID!");
                let fields = self.fields(*table, fields);
                format!("{name}: node(nodeId: {id}) {{ ... on {}{fields} }}", TABLES[*table].type_name)
            }
            Root::Me(fields) => format!("{name}: me {}", self.fields(super::schema::USERS, fields)),
        }
    }

    pub(super) fn fields(&mut self, table: usize, fields: &[(String, Field)]) -> String {
        let of = &TABLES[table];
        let mut texts = Vec::new();
        for (name, field) in fields {
            let (own, inner) = match field {
                Field::Column(column) => (of.field(*column), String::new()),
                Field::NodeId => ("nodeId".to_owned(), String::new()),
                Field::TypeName => ("__typename".to_owned(), String::new()),
                Field::One(relation, fields) => {
                    let relation = &of.relations[*relation];
                    (relation.name.to_owned(), self.fields(relation.target, fields))
                }
                Field::Many(relation, connection) => {
                    (of.relations[*relation].name.to_owned(), self.connection(connection))
                }
            };
            let alias = if *name == own { String::new() } else { format!("{name}: ") };
            texts.push(format!("{alias}{own}{inner}"));
        }
        format!(" {{ {} }}", texts.join(" "))
    }

    /// The arguments and the selection of a connection.
    fn connection(&mut self, connection: &Connection) -> String {
        let table = connection.list.table;
        let arguments = self.arguments(&connection.list);
        let mut parts = Vec::new();
        for (name, part) in &connection.parts {
            let (own, inner) = match part {
                Part::TotalCount => ("totalCount", String::new()),
                Part::TypeName => ("__typename", String::new()),
                Part::Nodes(fields) => ("nodes", self.fields(table, fields)),
                Part::Edges(fields) => ("edges", format!(" {{ node{} }}", self.fields(table, fields))),
                Part::PageInfo => ("pageInfo", " { hasNextPage hasPreviousPage }".to_owned()),
                Part::Aggregate(measures) => ("aggregate", format!(" {{ {} }}", selected(&TABLES[table], measures))),
                Part::Groups(groups) => ("groups", self.groups(table, groups)),
            };
            let alias = if *name == own { String::new() } else { format!("{name}: ") };
            parts.push(format!("{alias}{own}{inner}"));
        }
        format!("{arguments} {{ {} }}", parts.join(" "))
    }

    pub(super) fn arguments(&mut self, list: &List) -> String {
        let ty = TABLES[list.table].type_name;
        let mut arguments = Vec::new();
        if let Some(filter) = &list.filter {
            arguments
                .push(format!("filter: {}", self.input(&self::filter(list.table, filter), &format!("{ty}Filter"))));
        }
        if !list.order.is_empty() {
            let order = list.order.iter().map(|(key, way)| self::order(list.table, key, *way)).collect();
            arguments.push(format!("orderBy: {}", self.input(&Input::List(order), &format!("[{ty}OrderBy!]"))));
        }
        let page = &list.page;
        let offset = (page.offset > 0).then_some(page.offset);
        for (name, number) in [("first", page.first), ("last", page.last), ("offset", offset)] {
            if let Some(number) = number {
                arguments.push(format!("{name}: {}", self.input(&Input::Token(number.to_string()), "Int")));
            }
        }
        if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) }
    }

    fn groups(&mut self, table: usize, groups: &Groups) -> String {
        let of = &TABLES[table];
        let ty = of.type_name;
        let by = groups.by.iter().map(|by| Input::Name(name(table, *by).to_uppercase())).collect();
        let mut arguments = vec![format!("by: {}", self.input(&Input::List(by), &format!("[{ty}GroupBy!]!")))];
        if let Some(having) = &groups.having {
            arguments.push(format!("having: {}", self.input(&self::having(table, having), &format!("{ty}Having"))));
        }
        if !groups.order.is_empty() {
            let order = groups.order.iter().map(|(key, way)| match key {
                GroupKey::Key(at) => Input::one(&camel(&name(table, groups.by[*at])), direction(*way)),
                GroupKey::Measure(measure) => of_measure(of, *measure, direction(*way)),
            });
            let order = Input::List(order.collect());
            arguments.push(format!("orderBy: {}", self.input(&order, &format!("[{ty}GroupOrderBy!]"))));
        }
        if let Some(first) = groups.first {
            arguments.push(format!("first: {}", self.input(&Input::Token(first.to_string()), "Int")));
        }
        if let Some((from, to)) = &groups.fill {
            let day = |day: &Value| value(day, Kind::Date);
            let fill = Input::Object(vec![("from".to_owned(), day(from)), ("to".to_owned(), day(to))]);
            arguments.push(format!("fill: {}", self.input(&fill, &format!("{ty}GroupFill"))));
        }
        let key: Vec<_> = groups.by.iter().map(|by| groups.field(table, *by)).collect();
        let told = selected(of, &groups.tell);
        format!("({}) {{ key {{ {} }} {told} }}", arguments.join(", "), key.join(" "))
    }
}

/// The selection of measures.
fn selected(table: &Table, measures: &[Measure]) -> String {
    let texts = by_name(measures).into_iter().map(|(name, measures)| {
        let columns: Vec<_> =
            measures.iter().filter_map(|measure| measure.name().1).map(|column| table.field(column)).collect();
        if columns.is_empty() { name.to_owned() } else { format!("{name} {{ {} }}", columns.join(" ")) }
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Something under a measure's name, and under its column's if it has one.
fn of_measure(table: &Table, measure: Measure, inner: Input) -> Input {
    let (name, column) = measure.name();
    match column {
        Some(column) => Input::one(name, Input::one(&table.field(column), inner)),
        None => Input::one(name, inner),
    }
}

fn direction(way: Way) -> Input {
    let nulls = way.nulls_first.map_or("", |first| if first { "_NULLS_FIRST" } else { "_NULLS_LAST" });
    Input::Name(format!("{}{nulls}", if way.descending { "DESC" } else { "ASC" }))
}

fn order(table: usize, key: &Key, way: Way) -> Input {
    let of = &TABLES[table];
    match key {
        Key::Column(column) => Input::one(&of.field(*column), direction(way)),
        Key::One(relation, key) => {
            let relation = &of.relations[*relation];
            Input::one(relation.name, order(relation.target, key, way))
        }
        Key::Many(relation, measure) => {
            let relation = &of.relations[*relation];
            Input::one(relation.name, of_measure(&TABLES[relation.target], *measure, direction(way)))
        }
    }
}

/// A filter on rows of a table.
pub(super) fn filter(table: usize, given: &Filter) -> Input {
    let of = &TABLES[table];
    let list = |filters: &[Filter]| Input::List(filters.iter().map(|one| filter(table, one)).collect());
    match given {
        // Members of different names need no list.
        Filter::And(filters) if filters.iter().all(|one| matches!(one, Filter::Column(..))) => {
            let members: Vec<_> = filters.iter().map(|one| filter(table, one)).collect();
            let names: Vec<_> = members.iter().flat_map(names).collect();
            if names.iter().enumerate().any(|(at, name)| names[..at].contains(name)) {
                return Input::one("and", list(filters));
            }
            let members = members.into_iter().flat_map(|input| match input {
                Input::Object(members) => members,
                _ => Vec::new(),
            });
            Input::Object(members.collect())
        }
        Filter::And(filters) => Input::one("and", list(filters)),
        Filter::Or(filters) => Input::one("or", list(filters)),
        Filter::Not(one) => Input::one("not", filter(table, one)),
        Filter::Column(column, tests) => Input::one(&of.field(*column), self::tests(tests, of.columns[*column].kind)),
        Filter::One(relation, inner) => {
            let relation = &of.relations[*relation];
            Input::one(relation.name, filter(relation.target, inner))
        }
        Filter::Many(relation, count, inner) => {
            let relation = &of.relations[*relation];
            let word = match count {
                Count::Some => "some",
                Count::None => "none",
                Count::Every => "every",
            };
            Input::one(relation.name, Input::one(word, filter(relation.target, inner)))
        }
        Filter::Measured(relation, bound, measure, tests) => {
            let relation = &of.relations[*relation];
            let target = relation.target;
            let Input::Object(mut members) =
                of_measure(&TABLES[target], *measure, self::tests(tests, measure.kind(target)))
            else {
                panic!("a measure is an object")
            };
            members.extend(bound.as_ref().map(|bound| ("filter".to_owned(), filter(target, bound))));
            Input::one(relation.name, Input::Object(members))
        }
    }
}

fn names(input: &Input) -> Vec<String> {
    let Input::Object(members) = input else { return Vec::new() };
    members.iter().map(|(name, _)| name.clone()).collect()
}

fn having(table: usize, given: &Having) -> Input {
    let list = |all: &[Having]| Input::List(all.iter().map(|one| having(table, one)).collect());
    match given {
        Having::And(all) => Input::one("and", list(all)),
        Having::Or(all) => Input::one("or", list(all)),
        Having::Not(one) => Input::one("not", having(table, one)),
        Having::Measured(measure, tests) => {
            of_measure(&TABLES[table], *measure, self::tests(tests, measure.kind(table)))
        }
    }
}

/// The tests of a value of a type. What only REST can ask is not asked here.
fn tests(tests: &[Test], kind: Kind) -> Input {
    let mut paths = Vec::new();
    let mut members = Vec::new();
    for test in tests {
        if let Test::Path(path, leaf) = test {
            let path = Input::List(path.iter().map(|step| Input::Token(string(step))).collect());
            let (word, inner) = match leaf {
                Leaf::Text(test) => ("text", self::tests(std::slice::from_ref(test), Kind::Text)),
                Leaf::Number(sign, number) => {
                    ("number", Input::one(word(*sign), value(&Value::Float(*number), Kind::Float)))
                }
                Leaf::Boolean(held) => ("boolean", Input::one("eq", Input::Token(held.to_string()))),
                Leaf::Null(null) => ("isNull", Input::Token(null.to_string())),
            };
            paths.push(Input::Object(vec![("path".to_owned(), path), (word.to_owned(), inner)]));
            continue;
        }
        let list = |list: &[Value]| Input::List(list.iter().map(|one| value(one, kind)).collect());
        let text = |text: &str| Input::Token(string(text));
        let (name, input) = match test {
            Test::Compare(sign, operand) => (word(*sign), value(operand, kind)),
            Test::In(values) => ("in", list(values)),
            Test::NotIn(values) => ("notIn", list(values)),
            Test::Like(pattern, false) => ("like", text(pattern)),
            Test::Like(pattern, true) => ("ilike", text(pattern)),
            Test::StartsWith(part) => ("startsWith", text(part)),
            Test::EndsWith(part) => ("endsWith", text(part)),
            Test::Contains(part) => ("contains", text(part)),
            Test::Match(pattern, _) => ("match", text(pattern)),
            Test::Search(words) => ("search", text(words)),
            Test::Null(null) => ("isNull", Input::Token(null.to_string())),
            Test::Distinct(_) | Test::Each(..) | Test::Path(..) => panic!("{test:?} is no word of GraphQL"),
        };
        members.push((name.to_owned(), input));
    }
    if !paths.is_empty() {
        members.push(("at".to_owned(), Input::List(paths)));
    }
    Input::Object(members)
}

pub(super) const fn word(sign: Sign) -> &'static str {
    match sign {
        Sign::Eq => "eq",
        Sign::Neq => "neq",
        Sign::Lt => "lt",
        Sign::Lte => "lte",
        Sign::Gt => "gt",
        Sign::Gte => "gte",
    }
}
