//! Walks: pages taken one after the other, in either direction and between two places, are the list and nothing else.

use serde_json::Value as Json;

use super::{
    ask::Ask,
    graphql::Writer,
    random::Random,
    request::{List, Page},
    run::{Stage, cases, stage},
    schema::TABLES,
    view::View,
};
use crate::support::{Caller, Dialect};

const CASES: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_walk_meets_each_row_once_on_sqlite() {
    cases(&stage(Dialect::Sqlite).await, CASES, walk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_walk_meets_each_row_once_on_postgresql() {
    cases(&stage(Dialect::Postgres).await, CASES, walk).await;
}

/// A list that is walked: at the root, or of a row.
struct Walk<'s> {
    stage: &'s Stage,
    caller: Caller,
    list: List,
    /// The row whose relation the list is: the field that reads the row, and the relation's name.
    of: Option<(String, &'static str)>,
    /// The keys of the list, from its start to its end.
    whole: Vec<String>,
}

/// A page: its keys, their cursors, and whether there is more on either side.
struct Taken {
    keys: Vec<String>,
    cursors: Vec<String>,
    next: bool,
    previous: bool,
    shown: String,
}

async fn walk(stage: Stage, number: u64) -> Result<(), String> {
    let mut random = Random::of(stage.seed, 1_000_000 + number);
    let caller = random.pick(&[Caller::User, Caller::Admin, Caller::Other]);
    let view = View { world: &stage.world, caller };
    let mut ask = Ask { world: &stage.world, random: &mut random, rest: false };
    let mut table = ask.table();
    let (mut of, mut rows) = (None, view.rows(table));
    let many = TABLES[table].relations.iter().position(|relation| relation.many);
    if let (Some(relation), true) = (many, ask.random.chance(40)) {
        let parent = rows[ask.random.below(rows.len())];
        let key = parent[0].plain(TABLES[table].columns[0].kind);
        of = Some((format!("{}(id: \"{key}\")", TABLES[table].one), TABLES[table].relations[relation].name));
        rows = view.related(table, parent, relation);
        table = TABLES[table].relations[relation].target;
    }
    let list = List { page: Page::default(), ..ask.list(table) };
    let kind = TABLES[table].columns[0].kind;
    let whole: Vec<_> = view.list(&list, rows).iter().map(|row| row[0].plain(kind)).collect();
    let walk = Walk { stage: &stage, caller, list, of, whole };
    walk.along(&mut random, false).await?;
    walk.along(&mut random, true).await?;
    walk.between(&mut random).await
}

impl Walk<'_> {
    /// Takes a page, with these arguments beside the list's own.
    async fn take(&self, random: &mut Random, more: &str) -> Result<Taken, String> {
        let mut writer = Writer::new(random);
        let own = writer.arguments(&self.list);
        let arguments =
            if own.is_empty() { format!("({more})") } else { format!("{}, {more})", &own[..own.len() - 1]) };
        let parts = "edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
        let field = match &self.of {
            Some((row, relation)) => format!("row: {row} {{ list: {relation}{arguments} {{ {parts} }} }}"),
            None => format!("list: {}{arguments} {{ {parts} }}", TABLES[self.list.table].many),
        };
        let document = writer.finish("query", &[field]);
        let (text, variables) = (&document.text, &document.variables);
        let body = format!(r#"{{"query":{},"variables":{variables}}}"#, Json::from(&**text));
        let answer = self.stage.server.text(self.caller, "POST", "/graphql", "application/json", &body).await;
        let shown = format!("{:?}: {text}\n{variables}\n{:.2000}", self.caller, answer.text);
        let data = answer.json()["data"].take();
        let list = if self.of.is_some() { &data["row"]["list"] } else { &data["list"] };
        let Some(edges) = list["edges"].as_array() else { return Err(format!("no page\n{shown}")) };
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let keys = edges.iter().map(|edge| text(&edge["node"]["id"])).collect();
        let cursors: Vec<_> = edges.iter().map(|edge| text(&edge["cursor"])).collect();
        let info = &list["pageInfo"];
        for (end, cursor) in [("startCursor", cursors.first()), ("endCursor", cursors.last())] {
            if info[end].as_str() != cursor.map(String::as_str) {
                return Err(format!("{end} is not that of its edge\n{shown}"));
            }
        }
        let (next, previous) = (info["hasNextPage"] == true, info["hasPreviousPage"] == true);
        Ok(Taken { keys, cursors, next, previous, shown })
    }

    /// Holds a page to the keys that it must have, and to what it must say of both sides.
    fn check(&self, taken: &Taken, keys: &[String], next: bool, previous: bool) -> Result<(), String> {
        if (&*taken.keys, taken.next, taken.previous) == (keys, next, previous) {
            return Ok(());
        }
        Err(format!("{}\nexpected {keys:?}, next {next}, previous {previous}, of {:?}", taken.shown, self.whole))
    }

    /// Page by page from one end of the list to the other.
    async fn along(&self, random: &mut Random, backward: bool) -> Result<(), String> {
        let (mut met, mut from) = (0, None);
        let length = self.whole.len();
        loop {
            let size = 1 + random.below(length.max(4) / 2);
            let (word, place) = if backward { ("last", "before") } else { ("first", "after") };
            let from_there = from.as_ref().map_or_else(String::new, |cursor| format!(", {place}: \"{cursor}\""));
            let taken = self.take(random, &format!("{word}: {size}{from_there}")).await?;
            let until = (met + size).min(length);
            let (more, began) = (until < length, from.is_some());
            if backward {
                self.check(&taken, &self.whole[length - until..length - met], began, more)?;
            } else {
                self.check(&taken, &self.whole[met..until], more, began)?;
            }
            met = until;
            let edge = if backward { taken.cursors.first() } else { taken.cursors.last() };
            match edge {
                Some(cursor) if more => from = Some(cursor.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// What is between two places, from either end, and what an offset leaves out of it.
    async fn between(&self, random: &mut Random) -> Result<(), String> {
        let all = self.take(random, "first: 100").await?;
        self.check(&all, &self.whole, false, false)?;
        if self.whole.len() < 2 {
            return Ok(());
        }
        for _ in 0..3 {
            let start = random.below(self.whole.len() - 1);
            let end = start + 1 + random.below(self.whole.len() - start - 1);
            let inner = &self.whole[start + 1..end];
            let places = format!("after: \"{}\", before: \"{}\"", all.cursors[start], all.cursors[end]);
            let size = random.below(6);
            let cut = size.min(inner.len());
            let taken = self.take(random, &format!("{places}, first: {size}")).await?;
            self.check(&taken, &inner[..cut], true, true)?;
            let taken = self.take(random, &format!("{places}, last: {size}")).await?;
            self.check(&taken, &inner[inner.len() - cut..], true, true)?;
            let left = random.below(4).min(inner.len());
            let cut = size.min(inner.len() - left);
            let taken = self.take(random, &format!("{places}, first: {size}, offset: {left}")).await?;
            self.check(&taken, &inner[left..left + cut], true, true)?;
        }
        Ok(())
    }
}
