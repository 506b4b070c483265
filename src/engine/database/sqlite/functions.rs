//! What PostgreSQL has and SQLite has not, as functions in SQL: patterns, regular expressions, words, JSON paths, casts,
//! and the later of two times.
//!
//! In: a new connection. Out: the same with functions whose answers are PostgreSQL's. Patterns are read once a
//! statement. No trigger, view or index may use them: other programs open the file too.

use super::{Budget, casts};
use crate::{
    catalog::Language,
    engine::{regex, search::Wants, words},
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rusqlite::{
    Connection, ffi,
    functions::FunctionFlags,
    types::{Value, ValueRef},
};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, sync::Arc, time::Instant};

type SqlResult<T> = Result<T, rusqlite::Error>;

/// Gives a connection its functions. What they take is taken from the budget of the statement.
pub(super) fn register(connection: &Connection, budget: &Arc<Budget>) -> SqlResult<()> {
    let like_pattern = |text: &str| Ok::<_, Failure>(text.chars().collect::<Vec<_>>());
    on_texts(connection, budget, "matches_like", like_pattern, |text, pattern| like(text, pattern))?;
    let folded_pattern = |text: &str| Ok::<_, Failure>(text.to_lowercase().chars().collect::<Vec<_>>());
    on_texts(connection, budget, "matches_ilike", folded_pattern, |text, pattern| like(&text.to_lowercase(), pattern))?;
    on_texts(connection, budget, "matches_regex", regex::compile, |text, regex| regex.is_match(text))?;
    let query = |query: &str| Ok::<_, Failure>(words::wanted(query));
    on_texts(connection, budget, "has_words", query, |text, wanted| words::has(text, wanted))?;
    on_texts(connection, budget, "has_places", Wants::as_written, |text, wants| wants.are_in(text))?;
    let of = Arc::clone(budget);
    connection.create_scalar_function("has_stems", 3, flags(), move |context| {
        let (ValueRef::Text(text), ValueRef::Text(language)) = (context.get_raw(0), context.get_raw(2)) else {
            return Ok(None);
        };
        let language = Language::named(utf8(language)?).unwrap_or(Language::Simple);
        let read = |query: ValueRef<'_>| Ok::<_, Failure>(Wants::in_language(query.as_str()?, language)?);
        let wants: Arc<Wants> = context.get_or_create_aux(1, read)?;
        let text = utf8(text)?;
        within(&of, || Some(wants.are_in(text)))
    })?;
    connection.create_scalar_function("as_real", 1, flags(), |context| match context.get_raw(0) {
        ValueRef::Text(text) => Ok(std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok())),
        _ => Ok(None),
    })?;
    connection.create_scalar_function("digits_of", 1, flags(), |context| {
        Ok(match context.get_raw(0) {
            // The fewest digits that bring back the same number.
            ValueRef::Real(number) => Some(format!("{number:e}")),
            ValueRef::Integer(number) => Some(number.to_string()),
            _ => None,
        })
    })?;
    connection.create_scalar_function("later", 2, flags(), |context| {
        let (new, old): (Option<String>, Option<String>) = (context.get(0)?, context.get(1)?);
        Ok(match (new, old) {
            (Some(new), Some(old)) => Some(later(new, &old)),
            (new, old) => new.or(old),
        })
    })?;
    let casting = Arc::clone(budget);
    connection.create_scalar_function("cast_to", 3, flags(), move |context| {
        let read = |name: ValueRef<'_>| Ok::<_, Failure>(casts::From::named(name.as_str()?).ok_or("no type")?);
        let from: Arc<casts::From> = context.get_or_create_aux(1, read)?;
        let to = context.get_raw(2).as_str().unwrap_or_default();
        within(&casting, || casts::cast(context.get_raw(0), *from, to))?
    })?;
    let budget = Arc::clone(budget);
    connection.create_scalar_function("json_path", 3, flags(), move |context| {
        let ValueRef::Text(document) = context.get_raw(0) else { return Ok(Value::Null) };
        let document = utf8(document)?;
        let read_path = |path: ValueRef<'_>| Ok::<_, Failure>(serde_json::from_slice(path.as_bytes()?)?);
        let path: Arc<Vec<String>> = context.get_or_create_aux(1, read_path)?;
        within(&budget, || {
            let found = at(document, &path);
            found.map_or(Value::Null, |found| read(found, context.get_raw(2).as_str().unwrap_or_default()))
        })
    })
}

/// The later of `new` and the microsecond behind `old`, both as the tables hold instants.
fn later(new: String, old: &str) -> String {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    match (instant(&new), instant(old).and_then(|old| old.checked_add_signed(TimeDelta::microseconds(1)))) {
        (Some(time), Some(least)) if time < least => {
            least.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Micros, true)
        }
        _ => new,
    }
}

fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY
}

/// Takes the time of `work` from the budget; where nothing is left, the statement is interrupted.
fn within<T>(budget: &Budget, work: impl FnOnce() -> T) -> SqlResult<T> {
    let start = Instant::now();
    let done = work();
    if budget.take(i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX)) {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None));
    }
    Ok(done)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A function of a text and of a pattern, which is read once a statement; NULL where one of them is.
fn on_texts<P: Send + Sync + 'static, E: Into<Failure>>(
    connection: &Connection,
    budget: &Arc<Budget>,
    name: &str,
    read: impl Fn(&str) -> Result<P, E> + Send + 'static,
    test: impl Fn(&str, &P) -> bool + Send + 'static,
) -> SqlResult<()> {
    let budget = Arc::clone(budget);
    connection.create_scalar_function(name, 2, flags(), move |context| {
        let (ValueRef::Text(text), ValueRef::Text(_)) = (context.get_raw(0), context.get_raw(1)) else {
            return Ok(None);
        };
        let pattern: Arc<P> = context.get_or_create_aux(1, |pattern| read(pattern.as_str()?).map_err(Into::into))?;
        let text = utf8(text)?;
        within(&budget, || Some(test(text, &pattern)))
    })
}

fn utf8(bytes: &[u8]) -> SqlResult<&str> {
    std::str::from_utf8(bytes).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
}

/// Whether `text` matches a LIKE pattern: `%` any text, `_` any character, `\` escapes. Takes at most the product of
/// both lengths: where a `%` was tried, only the last one is tried again.
pub(super) fn like(text: &str, pattern: &[char]) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        let step = match pattern.get(position) {
            Some('%') => {
                retry = Some((position + 1, at));
                position += 1;
                continue;
            }
            Some('_') => 1,
            Some('\\') if pattern.get(position + 1) == Some(&text[at]) => 2,
            Some('\\') | None => 0,
            Some(literal) => usize::from(*literal == text[at]),
        };
        if step > 0 {
            position += step;
            at += 1;
        } else if let Some((after, tried)) = retry {
            retry = Some((after, tried + 1));
            position = after;
            at = tried + 1;
        } else {
            return false;
        }
    }
    pattern[position..].iter().all(|rest| *rest == '%')
}

/// What a JSON value is, as one of the kinds that a path can ask for; NULL where it is not of that kind.
pub(super) fn read(json: &str, kind: &str) -> Value {
    let first = json.as_bytes().first().copied().unwrap_or(b'n');
    match (kind, first) {
        (_, b'n') => Value::Null,
        ("value", _) => Value::Integer(1),
        ("json", _) => Value::Text(json.to_owned()),
        ("rank", first) => Value::Integer(match first {
            b'"' => 1,
            b't' | b'f' => 3,
            b'[' => 4,
            b'{' => 5,
            _ => 2,
        }),
        ("text" | "written", b'"') => serde_json::from_str(json).map_or(Value::Null, Value::Text),
        ("written", _) => Value::Text(json.to_owned()),
        ("text", b't' | b'f' | b'-' | b'0'..=b'9') => Value::Text(json.to_owned()),
        ("boolean", b't' | b'f') => Value::Integer(i64::from(first == b't')),
        ("number", b'-' | b'0'..=b'9') => number(json).map_or(Value::Null, Value::Real),
        _ => Value::Null,
    }
}

/// A number that a double holds: none beyond, and none so small that it would be 0.
fn number(json: &str) -> Option<f64> {
    let number: f64 = json.parse().ok()?;
    let (mantissa, exponent) = json.split_once(['e', 'E']).unwrap_or((json, "0"));
    if exponent.trim_start_matches(['+', '-']).trim_start_matches('0').len() > 3 {
        return None;
    }
    let zero = !mantissa.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
    // No sign of a zero: SQLite keeps none.
    if zero { Some(0.0) } else { Some(number).filter(|number| (1e-307..=1.79e308).contains(&number.abs())) }
}

/// The value at a path; where a name is there twice, the last that leads to one. An element of digits is an index of
/// an array.
pub(super) fn at<'j>(document: &'j str, path: &[String]) -> Option<&'j str> {
    let Some((step, rest)) = path.split_first() else { return Some(document.trim()) };
    let mut parser = serde_json::Deserializer::from_str(document);
    let found = Step(step).deserialize(&mut parser).ok()?;
    found.into_iter().rev().find_map(|value| at(value.get(), rest))
}

/// Takes the members of an object that have a name, or the element of an array at an index.
struct Step<'s>(&'s str);

impl<'j> DeserializeSeed<'j> for Step<'_> {
    type Value = Vec<&'j RawValue>;

    fn deserialize<D: Deserializer<'j>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'j> Visitor<'j> for Step<'_> {
    type Value = Vec<&'j RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            if name == self.0 {
                found.push(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let index: Option<u32> = self.0.parse().ok();
        let mut found = Vec::new();
        let mut position = 0;
        while let Some(value) = list.next_element::<&RawValue>()? {
            if Some(position) == index {
                found.push(value);
            }
            position += 1;
        }
        Ok(found)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_is_postgresqls() {
        for (text, pattern, expected) in [
            ("Acer rubrum", "Acer%", true),
            ("Acer rubrum", "acer%", false),
            ("Acer rubrum", "%rub%", true),
            ("Acer", "A_er", true),
            ("Acer", "A_r", false),
            ("50%", "50\\%", true),
            ("50x", "50\\%", false),
            ("a_b", "a\\_b", true),
            ("", "%", true),
            ("", "", true),
            ("x", "", false),
            ("aXbXc", "a%X%c", true),
            ("🌳 tree", "_ tree", true),
        ] {
            assert_eq!(like(text, &pattern.chars().collect::<Vec<_>>()), expected, "{text} like {pattern}");
        }
    }

    #[test]
    fn a_path_leads_to_a_value_or_nowhere() {
        let document =
            r#" {"a": {"b": [1, "x\u00e9", null, {"c": true}]}, "n": 1.50, "": {"0": "zero"}, "d": 1, "d": [2]} "#;
        for (path, kind, expected) in [
            (vec!["a", "b", "1"], "text", Value::Text("xé".into())),
            (vec!["a", "b", "0"], "text", Value::Text("1".into())),
            (vec!["a", "b", "2"], "value", Value::Null),
            (vec!["a", "b", "3"], "value", Value::Integer(1)),
            (vec!["a", "b", "3"], "text", Value::Null),
            (vec!["a", "b", "3", "c"], "boolean", Value::Integer(1)),
            (vec!["a", "b", "3", "c"], "text", Value::Text("true".into())),
            (vec!["a", "b", "4"], "value", Value::Null),
            (vec!["a", "b", "-1"], "value", Value::Null),
            (vec!["a", "b", "c"], "value", Value::Null),
            (vec!["n"], "text", Value::Text("1.50".into())),
            (vec!["n"], "number", Value::Real(1.5)),
            (vec!["n", "0"], "value", Value::Null),
            (vec!["", "0"], "text", Value::Text("zero".into())),
            (vec!["d", "0"], "number", Value::Real(2.0)),
            (vec!["d"], "number", Value::Null),
            (vec![], "value", Value::Integer(1)),
        ] {
            let path: Vec<_> = path.into_iter().map(str::to_owned).collect();
            assert_eq!(at(document, &path).map_or(Value::Null, |json| read(json, kind)), expected, "{path:?} {kind}");
        }
    }

    #[test]
    fn a_number_is_one_that_a_double_holds() {
        for (json, expected) in [
            ("0", Some(0.0)),
            ("-0.0e9", Some(0.0)),
            ("1e308", Some(1e308)),
            ("1e309", None),
            ("0e1000", None),
            ("1e-0007", Some(1e-7)),
            ("1e-400", None),
            ("-12345678901234567890.123", Some(-12_345_678_901_234_567_890.123)),
        ] {
            assert_eq!(number(json), expected, "{json}");
        }
    }
}
