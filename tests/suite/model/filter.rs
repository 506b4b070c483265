//! Filters over plain rows, in three-valued logic: true, false, or none where it is unknown.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::{
    request::{Count, Filter, Leaf, Sign, Test},
    schema::TABLES,
    value::Value,
    view::View,
    world::Row,
};

/// All of them: false if one is, else unknown if one is.
pub(super) fn all(held: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut sum = Some(true);
    for one in held {
        sum = match (sum, one) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
    }
    sum
}

/// Any of them: true if one is, else unknown if one is.
pub(super) fn any(held: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    all(held.into_iter().map(not)).map(|held| !held)
}

pub(super) fn not(held: Option<bool>) -> Option<bool> {
    held.map(|held| !held)
}

impl View<'_> {
    /// Whether the filter is true of a row of the table.
    pub(super) fn is(&self, table: usize, row: &Row, filter: &Filter) -> bool {
        self.holds(table, row, filter) == Some(true)
    }

    fn holds(&self, table: usize, row: &Row, filter: &Filter) -> Option<bool> {
        match filter {
            Filter::And(filters) => all(filters.iter().map(|one| self.holds(table, row, one))),
            Filter::Or(filters) => any(filters.iter().map(|one| self.holds(table, row, one))),
            Filter::Not(one) => not(self.holds(table, row, one)),
            Filter::Column(column, tests) => all(tests.iter().map(|one| test(&row[*column], one))),
            Filter::One(relation, filter) => {
                let target = TABLES[table].relations[*relation].target;
                Some(self.related(table, row, *relation).iter().any(|row| self.is(target, row, filter)))
            }
            Filter::Many(relation, count, filter) => {
                let target = TABLES[table].relations[*relation].target;
                let rows = self.related(table, row, *relation);
                let mut held = rows.iter().map(|row| self.is(target, row, filter));
                Some(match count {
                    Count::Some => held.any(|held| held),
                    Count::None => !held.any(|held| held),
                    Count::Every => held.all(|held| held),
                })
            }
            Filter::Measured(relation, filter, measure, tests) => {
                let target = TABLES[table].relations[*relation].target;
                let mut rows = self.related(table, row, *relation);
                if let Some(filter) = filter {
                    rows.retain(|row| self.is(target, row, filter));
                }
                let value = measure.of(target, &rows);
                all(tests.iter().map(|one| test(&value, one)))
            }
        }
    }
}

fn compare(value: &Value, sign: Sign, operand: &Value) -> Option<bool> {
    if value.is_null() || operand.is_null() {
        return None;
    }
    let order = value.order(operand);
    Some(match sign {
        Sign::Eq => order == Ordering::Equal,
        Sign::Neq => order != Ordering::Equal,
        Sign::Lt => order == Ordering::Less,
        Sign::Lte => order != Ordering::Greater,
        Sign::Gt => order == Ordering::Greater,
        Sign::Gte => order != Ordering::Less,
    })
}

/// What a test says of a value.
pub(super) fn test(value: &Value, test: &Test) -> Option<bool> {
    let text = |holds: &dyn Fn(&str) -> bool| match value {
        Value::Text(text) => Some(holds(text)),
        _ => None,
    };
    match test {
        Test::Compare(sign, operand) => compare(value, *sign, operand),
        Test::In(list) => any(list.iter().map(|one| compare(value, Sign::Eq, one))),
        Test::NotIn(list) => all(list.iter().map(|one| compare(value, Sign::Neq, one))),
        Test::Like(pattern, false) => text(&|text| like(&letters(text), &letters(pattern))),
        Test::Like(pattern, true) => {
            text(&|text| like(&letters(&text.to_lowercase()), &letters(&pattern.to_lowercase())))
        }
        Test::StartsWith(part) => text(&|text| text.starts_with(part)),
        Test::EndsWith(part) => text(&|text| text.ends_with(part)),
        Test::Contains(part) => text(&|text| text.contains(part)),
        Test::Match(pattern, false) => text(&|text| matches(&letters(text), &letters(pattern))),
        Test::Match(pattern, true) => {
            text(&|text| matches(&letters(&text.to_lowercase()), &letters(&pattern.to_lowercase())))
        }
        Test::Search(words) => text(&|text| {
            let text = text.to_lowercase();
            let known: Vec<_> = text.split(|letter: char| !letter.is_alphanumeric()).collect();
            words.to_lowercase().split_whitespace().all(|word| known.contains(&word))
        }),
        Test::Null(null) => Some(value.is_null() == *null),
        Test::Distinct(operand) => Some(compare(value, Sign::Eq, operand) != Some(true)),
        Test::Each(sign, every, list) => {
            let held = list.iter().map(|one| compare(value, *sign, one));
            if *every { all(held) } else { any(held) }
        }
        Test::Path(path, leaf) => self::path(value, path, leaf),
    }
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// `%` is any text, `_` any character, a backslash makes the next one plain.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|at| like(&text[at..], rest)),
        ['_', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        ['\\', plain, rest @ ..] | [plain, rest @ ..] => text.first() == Some(plain) && like(&text[1..], rest),
    }
}

/// As much of regular expressions as is asked: `^`, `$`, `.`, and `*` behind one character.
fn matches(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        ['^', rest @ ..] => here(text, rest),
        _ => (0..=text.len()).any(|at| here(&text[at..], pattern)),
    }
}

fn here(text: &[char], pattern: &[char]) -> bool {
    let fits = |wanted: char| text.first().is_some_and(|letter| wanted == '.' || wanted == *letter);
    match pattern {
        [] => true,
        ['$'] => text.is_empty(),
        [wanted, '*', rest @ ..] => here(text, rest) || (fits(*wanted) && here(&text[1..], pattern)),
        [wanted, rest @ ..] => fits(*wanted) && here(&text[1..], rest),
    }
}

/// What is at the path: nothing where the path leads nowhere. Of nothing, and of another type, nothing is known.
fn path(value: &Value, path: &[String], leaf: &Leaf) -> Option<bool> {
    let found = match value {
        Value::Json(text) => {
            let mut found = serde_json::from_str::<Json>(text).ok();
            for step in path {
                found = found.and_then(|value| match value {
                    Json::Object(mut members) => members.remove(step),
                    Json::Array(mut items) => {
                        step.parse::<usize>().ok().filter(|at| *at < items.len()).map(|at| items.swap_remove(at))
                    }
                    _ => None,
                });
            }
            found
        }
        _ => None,
    };
    let found = found.filter(|found| !found.is_null());
    match leaf {
        Leaf::Null(null) => Some(found.is_none() == *null),
        Leaf::Text(one) => found.and_then(|found| match found {
            Json::String(text) => test(&Value::Text(text), one),
            // The text of an array or an object is none.
            Json::Array(_) | Json::Object(_) => None,
            other => test(&Value::Text(other.to_string()), one),
        }),
        Leaf::Number(sign, operand) => found
            .and_then(|found| found.as_f64())
            .and_then(|number| compare(&Value::Float(number), *sign, &Value::Float(*operand))),
        Leaf::Boolean(operand) => found.and_then(|found| found.as_bool()).map(|found| found == *operand),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_neither() {
        for (held, every, one) in [
            (vec![], Some(true), Some(false)),
            (vec![Some(true), None], None, Some(true)),
            (vec![Some(false), None], Some(false), None),
            (vec![None, Some(false), Some(true)], Some(false), Some(true)),
        ] {
            assert_eq!((all(held.clone()), any(held)), (every, one));
        }
        assert_eq!(test(&Value::Null, &Test::Compare(Sign::Neq, Value::Int(1))), None);
        assert_eq!(test(&Value::Null, &Test::In(vec![])), Some(false));
        assert_eq!(test(&Value::Null, &Test::NotIn(vec![])), Some(true));
    }

    #[test]
    fn patterns() {
        let like = |text: &str, pattern: &str| super::like(&letters(text), &letters(pattern));
        assert!(like("100%", r"%\%") && !like("100", r"%\%") && like("", "%") && like("Ä", "_") && !like("", "_"));
        let matches = |text: &str, pattern: &str| super::matches(&letters(text), &letters(pattern));
        assert!(matches("Food", "o*d$") && matches("Food", "^F") && !matches("Food", "^o") && matches("Food", "x*"));
    }
}
