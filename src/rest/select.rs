//! `select` in PostgREST's grammar: what to tell of each row.
//!
//! In: the value of the parameter. Out: its items, whose names nothing has looked for yet.

use crate::error::{Error, Result};

/// How deep relations may be nested in a `select`: deeper than a request may, so that there is one answer to both.
const MAX_DEPTH: usize = 40;

/// An item of a `select`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// `*`: all columns.
    Star,
    /// A value of the row, or an aggregate of rows.
    Value(Value),
    /// Related rows.
    Embed(Embed),
}

/// `alias:column->path::cast.function()::cast`, of which all but the column can be missing; `count()` has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// The name under which the answer has it.
    pub(super) alias: Option<String>,
    /// The column with its path, as in a filter: `column`, `column->a->>b`. Empty for `count()` alone.
    pub(super) column: String,
    /// The type as which the value is asked for.
    pub(super) cast: Option<String>,
    /// The aggregate of it, and the type as which that is asked for.
    pub(super) aggregate: Option<(String, Option<String>)>,
}

/// `alias:relation!hint!inner(…)`, or `...relation(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Embed {
    /// The name under which the answer has them.
    pub(super) alias: Option<String>,
    /// The relation, or the table at its other end.
    pub(super) name: String,
    /// Which of several relations is meant.
    pub(super) hint: Option<String>,
    /// Whether rows without related ones are left out.
    pub(super) inner: bool,
    /// Whether the members stand among those of the row around them.
    pub(super) spread: bool,
    /// What to tell of them; nothing, and the relation is there for its filters alone.
    pub(super) items: Vec<Item>,
}

/// The items of a `select`.
///
/// # Errors
/// `PGRST100` for what the grammar does not have.
pub(super) fn parse(text: &str) -> Result<Vec<Item>> {
    let mut parser = Parser { whole: text, rest: text };
    let items = parser.items(0)?;
    if parser.rest.is_empty() { Ok(items) } else { Err(parser.unexpected()) }
}

struct Parser<'t> {
    whole: &'t str,
    rest: &'t str,
}

impl Parser<'_> {
    fn unexpected(&self) -> Error {
        let at = self.whole.len() - self.rest.len();
        let found = match self.rest.chars().next() {
            Some(character) => format!("unexpected \"{character}\" at position {at}"),
            None => "unexpected end of input".to_owned(),
        };
        Error::bad_request(format!("failed to parse select parameter ({})", self.whole)).details(found).hint(
            "select is a list of columns, alias:column, column::type, column.sum(), relation(…) and ...relation(…)",
        )
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Item>> {
        if depth > MAX_DEPTH {
            return Err(Error::bad_request(format!("select is nested deeper than {MAX_DEPTH}")));
        }
        let mut items = Vec::new();
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() || self.rest.starts_with(')') {
            return Ok(items);
        }
        loop {
            items.push(self.item(depth)?);
            self.rest = self.rest.trim_start();
            if !self.eat(",") {
                return Ok(items);
            }
            self.rest = self.rest.trim_start();
            // A comma at the end is what a list that was put together by a program often has.
            if self.rest.is_empty() {
                return Ok(items);
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<Item> {
        if self.eat("*") {
            return Ok(Item::Star);
        }
        let spread = self.eat("...");
        let mut name = self.name()?;
        let mut alias = None;
        if self.rest.starts_with(':') && !self.rest.starts_with("::") {
            self.eat(":");
            alias = Some(std::mem::replace(&mut name, self.name()?));
        }
        if name == "count" && self.eat("()") {
            let aggregate = Some((name, self.cast()?));
            return Ok(Item::Value(Value { alias, aggregate, ..Value::default() }));
        }
        if self.rest.starts_with(['!', '(']) {
            return self.embed(alias, name, spread, depth).map(Item::Embed);
        }
        if spread {
            return Err(self.unexpected());
        }
        let mut column = name;
        while self.rest.starts_with("->") {
            let arrow = ["->>", "->"].into_iter().find(|arrow| self.eat(arrow)).unwrap_or_default();
            column = column + arrow + &self.name()?;
        }
        let cast = self.cast()?;
        let aggregate = if self.eat(".") {
            let function = self.name()?;
            if !self.eat("()") {
                return Err(self.unexpected());
            }
            Some((function, self.cast()?))
        } else {
            None
        };
        Ok(Item::Value(Value { alias, column, cast, aggregate }))
    }

    fn embed(&mut self, alias: Option<String>, name: String, spread: bool, depth: usize) -> Result<Embed> {
        let (mut hint, mut inner) = (None, false);
        while self.eat("!") {
            match self.name()? {
                word if word == "inner" => inner = true,
                word if word == "left" => {}
                word if hint.is_none() => hint = Some(word),
                _ => return Err(self.unexpected()),
            }
        }
        if !self.eat("(") {
            return Err(self.unexpected());
        }
        let items = self.items(depth + 1)?;
        if !self.eat(")") {
            return Err(self.unexpected());
        }
        Ok(Embed { alias, name, hint, inner, spread, items })
    }

    fn cast(&mut self) -> Result<Option<String>> {
        if !self.eat("::") {
            return Ok(None);
        }
        let end = self.rest.find([',', '.', ')', '(']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.trim().is_empty() {
            return Err(self.unexpected());
        }
        self.rest = rest;
        Ok(Some(name.trim().to_owned()))
    }

    /// A name, plain or in double quotes, inside of which a backslash escapes.
    fn name(&mut self) -> Result<String> {
        if self.rest.starts_with('"') {
            let (name, rest) = super::filter::element(self.rest, &[]).ok_or_else(|| self.unexpected())?;
            self.rest = rest;
            return Ok(name);
        }
        let end = self.rest.find([',', '.', ':', '(', ')', '!', '"']).unwrap_or(self.rest.len());
        let end = self.rest.find("->").map_or(end, |arrow| arrow.min(end));
        let (name, rest) = self.rest.split_at(end);
        if name.trim().is_empty() {
            return Err(self.unexpected());
        }
        self.rest = rest;
        Ok(name.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(column: &str) -> Value {
        Value { column: column.to_owned(), ..Value::default() }
    }

    #[test]
    fn the_grammar_has_names_casts_paths_aggregates_and_relations() {
        let text =
            r#"*,id,a:meta->x->>y::int,amount::text.sum()::float8,n:count(),"o,k":"q(",...user!fk!inner(e:email,x())"#;
        let some = |text: &str| Some(text.to_owned());
        let embed = |name: &str, items| Embed {
            alias: None,
            name: name.to_owned(),
            hint: None,
            inner: false,
            spread: false,
            items,
        };
        let expected = vec![
            Item::Star,
            Item::Value(value("id")),
            Item::Value(Value { alias: some("a"), cast: some("int"), ..value("meta->x->>y") }),
            Item::Value(Value {
                cast: some("text"),
                aggregate: Some(("sum".to_owned(), some("float8"))),
                ..value("amount")
            }),
            Item::Value(Value { alias: some("n"), aggregate: Some(("count".to_owned(), None)), ..value("") }),
            Item::Value(Value { alias: some("o,k"), ..value("q(") }),
            Item::Embed(Embed {
                hint: some("fk"),
                inner: true,
                spread: true,
                ..embed(
                    "user",
                    vec![
                        Item::Value(Value { alias: some("e"), ..value("email") }),
                        Item::Embed(embed("x", Vec::new())),
                    ],
                )
            }),
        ];
        assert_eq!(parse(text).unwrap(), expected);
        for wrong in
            ["a(", "a)", "a,,b", "...a", "a::", "a.sum", "a.sum(", "a!x!y()", "a->", "a->>->b", ":a", "\"a", "a(b"]
        {
            assert_eq!(parse(wrong).unwrap_err().code, "PGRST100", "{wrong}");
        }
    }
}
