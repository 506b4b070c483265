//! Related rows in REST: what `select=…,relation(…)` asks of them, and the members that the answer must have.

use super::{
    answer::object,
    ask::{Ask, Names},
    request::{List, Page},
    rest::{Pairs, list},
    schema::TABLES,
    view::View,
    world::Row,
};

/// Related rows that are embedded in each row of a list.
#[derive(Debug, Clone)]
pub(super) struct Embed {
    /// The name in the answer and in the paths of parameters.
    name: String,
    relation: usize,
    /// Which rows, in which order, which part; of a relation to one, which rows alone.
    list: List,
    /// Whether rows without such ones are left out.
    inner: bool,
    /// Whether rows must have none of them, or some.
    null: Option<bool>,
    spread: bool,
    select: Selected,
}

/// What is told of a row: columns under names, and related rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Selected {
    pub(super) columns: Vec<(String, usize)>,
    pub(super) embeds: Vec<Embed>,
}

impl Ask<'_, '_> {
    /// Columns and related rows; `depth` levels below them may have related rows of their own.
    pub(super) fn selected(&mut self, table: usize, depth: usize) -> Selected {
        let mut names = Names::default();
        let columns = (0..1 + self.random.below(4)).map(|_| {
            let column = self.random.below(TABLES[table].columns.len());
            (names.free(TABLES[table].columns[column].name, self.random), column)
        });
        let columns = columns.collect();
        let relations = TABLES[table].relations.len();
        let count = if depth == 0 || relations == 0 { 0 } else { self.random.pick(&[0, 1, 1, 2]) };
        let mut names = Names::default();
        let embeds = (0..count).map(|_| {
            let relation = self.random.below(relations);
            let name = names.free(TABLES[table].relations[relation].name, self.random);
            self.embed(table, relation, name, depth - 1)
        });
        Selected { columns, embeds: embeds.collect() }
    }

    fn embed(&mut self, table: usize, relation: usize, name: String, depth: usize) -> Embed {
        let of = &TABLES[table].relations[relation];
        let mut list = if self.random.chance(60) {
            self.list(of.target)
        } else {
            List { table: of.target, filter: None, order: Vec::new(), page: Page::default() }
        };
        if !of.many {
            (list.order, list.page) = (Vec::new(), Page::default());
        }
        // Of nothing, there is nothing to tell.
        let select = if self.random.chance(85) { self.selected(of.target, depth) } else { Selected::default() };
        let null = self.random.chance(15).then(|| self.random.chance(50));
        Embed { name, relation, list, inner: self.random.chance(20), null, spread: self.random.chance(30), select }
    }
}

impl Selected {
    /// The value of `select`.
    pub(super) fn text(&self, table: usize) -> String {
        let columns = self.columns.iter().map(|(name, column)| {
            let own = TABLES[table].columns[*column].name;
            if name == own { own.to_owned() } else { format!("{name}:{own}") }
        });
        let embeds = self.embeds.iter().map(|embed| {
            let relation = &TABLES[table].relations[embed.relation];
            let alias = if embed.name == relation.name { String::new() } else { format!("{}:", embed.name) };
            let (spread, inner) = (if embed.spread { "..." } else { "" }, if embed.inner { "!inner" } else { "" });
            format!("{spread}{alias}{}{inner}({})", relation.name, embed.select.text(relation.target))
        });
        columns.chain(embeds).collect::<Vec<_>>().join(",")
    }

    /// What other parameters say of the related rows; `path` leads to the rows around them.
    pub(super) fn pairs(&self, path: &str, pairs: &mut Pairs) {
        for embed in &self.embeds {
            if let Some(null) = embed.null {
                pairs.push((format!("{path}{}", embed.name), if null { "is.null" } else { "not.is.null" }.to_owned()));
            }
            let path = format!("{path}{}.", embed.name);
            list(&path, &embed.list, pairs);
            embed.select.pairs(&path, pairs);
        }
    }

    /// Whether a row has the related rows that it must have, and none that it must not.
    pub(super) fn admits(&self, view: &View<'_>, table: usize, row: &Row) -> bool {
        self.embeds.iter().all(|embed| {
            let empty = embed.rows(view, table, Some(row)).is_empty();
            !(embed.inner && empty) && embed.null.is_none_or(|null| null == empty)
        })
    }

    /// The members of a row, or of none.
    pub(super) fn members(&self, view: &View<'_>, table: usize, row: Option<&Row>) -> Vec<(String, String)> {
        let value = |column: usize| {
            row.map_or_else(|| "null".to_owned(), |row| row[column].json(TABLES[table].columns[column].kind, false))
        };
        let columns = self.columns.iter().map(|(name, column)| (name.clone(), value(*column)));
        columns.chain(self.embeds.iter().flat_map(|embed| embed.members(view, table, row))).collect()
    }

    fn is_told(&self) -> bool {
        !self.columns.is_empty() || self.embeds.iter().any(|embed| embed.select.is_told())
    }
}

impl Embed {
    /// The rows that there are of it for a row, whatever the part that is told.
    fn rows<'w>(&self, view: &View<'w>, table: usize, row: Option<&Row>) -> Vec<&'w Row> {
        let related = row.map_or_else(Vec::new, |row| view.related(table, row, self.relation));
        let mut rows = view.list(&self.list, related);
        rows.retain(|row| self.select.admits(view, self.list.table, row));
        rows
    }

    fn members(&self, view: &View<'_>, table: usize, row: Option<&Row>) -> Vec<(String, String)> {
        if !self.select.is_told() {
            return Vec::new();
        }
        let (target, many) = (self.list.table, TABLES[table].relations[self.relation].many);
        let mut cut = self.list.clone();
        cut.page.first = cut.page.first.or(Some(1000));
        let rows = view.cut(&cut, &self.rows(view, table, row)).rows;
        let told = |row: Option<&Row>| self.select.members(view, target, row);
        let array = |items: Vec<String>| format!("[{}]", items.join(","));
        match (many, self.spread) {
            (false, false) => {
                let row = rows.first().map_or_else(|| "null".to_owned(), |row| object(told(Some(row))));
                vec![(self.name.clone(), row)]
            }
            (false, true) => told(rows.first().copied()),
            (true, false) => {
                let rows = rows.into_iter().map(|row| object(told(Some(row))));
                vec![(self.name.clone(), array(rows.collect()))]
            }
            (true, true) => {
                let rows: Vec<_> = rows.into_iter().map(|row| told(Some(row))).collect();
                let names = told(None).into_iter().map(|(name, _)| name).enumerate();
                names.map(|(at, name)| (name, array(rows.iter().map(|row| row[at].1.clone()).collect()))).collect()
            }
        }
    }
}
