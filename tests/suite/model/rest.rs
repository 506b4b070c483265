//! A request in REST: the query string of a list, and the answer that it must get.

use super::{
    FEATURES,
    ask::Ask,
    embed::Selected,
    graphql::word,
    groups::{kind, name},
    request::{Filter, Groups, Key, Leaf, List, Measure, Test, Way},
    schema::{TABLES, closed},
    value::{Kind, Value},
    view::View,
};

/// The pairs of a query string.
pub(super) type Pairs = Vec<(String, String)>;

/// A list by REST: what is selected of it, or in which groups it is told.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) list: List,
    pub(super) select: Select,
}

#[derive(Debug, Clone)]
pub(super) enum Select {
    /// All columns.
    All,
    /// Columns, each under its name or another, and related rows.
    Rows(Selected),
    /// Groups of columns, and what is measured, each under a name.
    Groups(Groups, Vec<(String, Measure)>),
}

impl Ask<'_, '_> {
    /// A list by REST.
    pub(super) fn call(&mut self) -> Call {
        let table = self.table();
        let mut list = self.list(table);
        if FEATURES.rest_aggregates && self.random.chance(25) {
            let by = if self.random.chance(15) { Vec::new() } else { self.by(table, false) };
            let all: Vec<_> = Measure::all(table)
                .into_iter()
                .filter(|measure| !matches!(measure, Measure::CountDistinct(_)))
                .collect();
            let count = 1 + self.random.below(3);
            let tell: Vec<_> = self
                .random
                .some(&all, count)
                .into_iter()
                .enumerate()
                .map(|(at, one)| (format!("m{at}"), one))
                .collect();
            list.order = Vec::new();
            list.page = super::request::Page::default();
            let order = (0..by.len()).map(|at| (super::request::GroupKey::Key(at), self.way())).collect();
            let groups = Groups { by, having: None, order, first: Some(1000), fill: None, tell: Vec::new() };
            return Call { list, select: Select::Groups(groups, tell) };
        }
        let select = if self.random.chance(40) { Select::All } else { Select::Rows(self.selected(table, 2)) };
        Call { list, select }
    }
}

impl Call {
    /// The path with its query string, encoded.
    pub(super) fn path(&self) -> String {
        let table = &TABLES[self.list.table];
        let mut pairs = Pairs::new();
        match &self.select {
            Select::All => {}
            Select::Rows(selected) => {
                pairs.push(("select".to_owned(), selected.text(self.list.table)));
                selected.pairs("", &mut pairs);
            }
            Select::Groups(groups, tell) => {
                let keys = groups.by.iter().map(|by| table.columns[by.0].name.to_owned());
                let measures = tell.iter().map(|(name, measure)| {
                    let (function, column) = measure.name();
                    let column = column.map_or_else(String::new, |column| format!("{}.", table.columns[column].name));
                    format!("{name}:{column}{function}()")
                });
                pairs.push(("select".to_owned(), keys.chain(measures).collect::<Vec<_>>().join(",")));
                let order = groups.by.iter().zip(&groups.order);
                let order = order.map(|(by, (_, way))| format!("{}{}", table.columns[by.0].name, suffix(*way)));
                pairs.push(("order".to_owned(), order.collect::<Vec<_>>().join(",")));
            }
        }
        list("", &self.list, &mut pairs);
        pairs.retain(|(name, value)| !(name == "order" && value.is_empty()));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/{}?{query}", table.name)
    }

    /// The body that must come, and how many rows it has; none if the caller must sign in.
    pub(super) fn answer(&self, view: &View<'_>) -> Option<(String, usize)> {
        let table = self.list.table;
        if closed(view.caller, table) {
            return None;
        }
        let columns = TABLES[table].columns;
        let object = |members: Vec<(String, String)>| super::answer::object(members);
        let rows: Vec<String> = match &self.select {
            Select::Groups(groups, tell) => {
                let told = |key: &[Value], rows: &[&super::world::Row]| {
                    let keys = groups.by.iter().zip(key);
                    let keys = keys.map(|(by, value)| (name(table, *by), value.json(kind(table, *by), false)));
                    let measures = tell.iter().map(|(name, measure)| {
                        (name.clone(), measure.of(table, rows).json(measure.kind(table), false))
                    });
                    object(keys.chain(measures).collect())
                };
                let groups_of = view.grouped(&self.list, groups);
                if groups.by.is_empty() && groups_of.is_empty() {
                    // What is measured of nothing is one row.
                    vec![told(&[], &[])]
                } else {
                    groups_of.iter().map(|(key, rows)| told(key, rows)).collect()
                }
            }
            select => {
                let mut list = self.list.clone();
                list.page.first = list.page.first.or(Some(1000));
                let all = (0..columns.len()).map(|column| (columns[column].name.to_owned(), column)).collect();
                let all = Selected { columns: all, embeds: Vec::new() };
                let select = if let Select::Rows(selected) = select { selected } else { &all };
                let mut rows = view.list(&list, view.rows(table));
                rows.retain(|row| select.admits(view, table, row));
                let row = |row: &super::world::Row| object(select.members(view, table, Some(row)));
                view.cut(&list, &rows).rows.into_iter().map(row).collect()
            }
        };
        Some((format!("[{}]", rows.join(",")), rows.len()))
    }
}

/// What the parameters of a list say of it; `path` leads to it, with a point at its end.
pub(super) fn list(path: &str, list: &List, pairs: &mut Pairs) {
    let table = &TABLES[list.table];
    let at = |(name, value): (String, String)| (format!("{path}{name}"), value);
    match &list.filter {
        Some(Filter::And(filters)) => pairs.extend(filters.iter().map(|one| at(pair(list.table, one)))),
        Some(one) => pairs.push(at(pair(list.table, one))),
        None => {}
    }
    if !list.order.is_empty() {
        let order = list.order.iter().map(|(key, way)| {
            let by = match key {
                Key::One(relation, key) => {
                    let relation = &table.relations[*relation];
                    let Key::Column(column) = **key else { panic!("{key:?} is no word of REST") };
                    format!("{}({})", relation.name, TABLES[relation.target].columns[column].name)
                }
                Key::Column(column) => table.columns[*column].name.to_owned(),
                Key::Many(..) => panic!("{key:?} is no word of REST"),
            };
            format!("{by}{}", suffix(*way))
        });
        pairs.push((format!("{path}order"), order.collect::<Vec<_>>().join(",")));
    }
    let page = &list.page;
    pairs.extend(page.first.map(|first| (format!("{path}limit"), first.to_string())));
    if page.offset > 0 {
        pairs.push((format!("{path}offset"), page.offset.to_string()));
    }
}

fn suffix(way: Way) -> String {
    let nulls = way.nulls_first.map_or("", |first| if first { ".nullsfirst" } else { ".nullslast" });
    format!("{}{nulls}", if way.descending { ".desc" } else { "" })
}

/// A filter as a pair of a URL.
pub(super) fn pair(table: usize, filter: &Filter) -> (String, String) {
    let nested = |filters: &[Filter]| {
        let items: Vec<_> = filters.iter().map(|one| item(table, one)).collect();
        format!("({})", items.join(","))
    };
    match filter {
        Filter::And(filters) => ("and".to_owned(), nested(filters)),
        Filter::Or(filters) => ("or".to_owned(), nested(filters)),
        Filter::Not(one) => match &**one {
            Filter::And(filters) => ("not.and".to_owned(), nested(filters)),
            Filter::Or(filters) => ("not.or".to_owned(), nested(filters)),
            Filter::Not(_) => ("not.and".to_owned(), format!("({})", item(table, one))),
            _ => {
                let (name, value) = pair(table, one);
                match value.strip_prefix("not.") {
                    Some(value) => (name, value.to_owned()),
                    None => (name, format!("not.{value}")),
                }
            }
        },
        Filter::Column(column, tests) => {
            let [test] = tests.as_slice() else { panic!("{tests:?} is more than one condition") };
            let (path, condition) = condition(test, TABLES[table].columns[*column].kind, false);
            (format!("{}{path}", TABLES[table].columns[*column].name), condition)
        }
        _ => panic!("{filter:?} is no word of REST"),
    }
}

/// A filter inside of `and=(…)`.
fn item(table: usize, filter: &Filter) -> String {
    match filter {
        Filter::Column(column, tests) => {
            let (path, condition) = condition(&tests[0], TABLES[table].columns[*column].kind, true);
            format!("{}{path}.{condition}", TABLES[table].columns[*column].name)
        }
        Filter::Not(one) => match &**one {
            Filter::Column(column, tests) => {
                let (path, condition) = condition(&tests[0], TABLES[table].columns[*column].kind, true);
                let name = TABLES[table].columns[*column].name;
                match condition.strip_prefix("not.") {
                    Some(condition) => format!("{name}{path}.{condition}"),
                    None => format!("{name}{path}.not.{condition}"),
                }
            }
            Filter::Not(_) => format!("not.and({})", item(table, one)),
            _ => format!("not.{}", item(table, one)),
        },
        _ => {
            let (word, list) = pair(table, filter);
            format!("{word}{list}")
        }
    }
}

/// A test: what is behind the column's name, and `operator.value`. Inside of a tree, values are quoted.
fn condition(test: &Test, kind: Kind, quoted: bool) -> (String, String) {
    let text = |text: &str| if quoted { format!("\"{}\"", escaped(text)) } else { text.to_owned() };
    let value = |value: &Value| text(&value.plain(kind));
    let list = |values: &[Value]| {
        let items: Vec<_> = values.iter().map(|value| format!("\"{}\"", escaped(&value.plain(kind)))).collect();
        items.join(",")
    };
    let condition = match test {
        Test::Compare(sign, operand) => format!("{}.{}", word(*sign), value(operand)),
        Test::In(values) => format!("in.({})", list(values)),
        Test::NotIn(values) => format!("not.in.({})", list(values)),
        Test::Like(pattern, fold) => format!("{}.{}", if *fold { "ilike" } else { "like" }, text(pattern)),
        Test::Match(pattern, fold) => format!("{}.{}", if *fold { "imatch" } else { "match" }, text(pattern)),
        Test::Search(words) => format!("plfts.{}", text(words)),
        Test::Null(null) => format!("{}is.null", if *null { "" } else { "not." }),
        Test::Distinct(operand) => format!("isdistinct.{}", value(operand)),
        Test::Each(sign, every, values) => {
            format!("{}({}).{{{}}}", word(*sign), if *every { "all" } else { "any" }, list(values))
        }
        Test::Path(path, leaf) => {
            let (last, before) = path.split_last().expect("a path");
            let before: String = before.iter().map(|step| format!("->{step}")).collect();
            let condition = match leaf {
                Leaf::Null(null) => format!("{}is.null", if *null { "" } else { "not." }),
                Leaf::Text(test) => self::condition(test, Kind::Text, quoted).1,
                Leaf::Number(..) | Leaf::Boolean(_) => panic!("{leaf:?} is no word of REST"),
            };
            return (format!("{before}->>{last}"), condition);
        }
        Test::StartsWith(_) | Test::EndsWith(_) | Test::Contains(_) => panic!("{test:?} is no word of REST"),
    };
    (String::new(), condition)
}

/// What stands between quotes, where a backslash escapes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
