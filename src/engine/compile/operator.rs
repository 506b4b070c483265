//! The operators of filters as SQL, with the same answers on both databases.
//!
//! In: the left side of a comparison as SQL with its type, an operator, the slot of its operand. Out: SQL.

use super::{Bind, Compiler, identifier};
use crate::{
    catalog::{
        Language, Operator,
        scalar::{JsonKind, Scalar},
    },
    engine::{
        database::Dialect,
        query::{Expression, ExpressionKind},
        words,
    },
};

/// The left side of a comparison.
#[derive(Debug)]
pub(super) struct Side {
    /// As it is.
    pub(super) plain: String,
    /// Where its order counts.
    pub(super) ordered: String,
    /// Its type.
    pub(super) scalar: Scalar,
    /// On SQLite, where the words of a searchable column are.
    pub(super) indexed: Option<Indexed>,
}

/// The rows of SQLite's index of the words of a column.
#[derive(Debug)]
pub(super) struct Indexed {
    /// The key of a row.
    key: String,
    /// The keys of the rows that may have what is searched for, but for the query.
    matching: String,
    /// The keys of all rows.
    all: String,
}

impl Compiler<'_> {
    /// An expression as the left side of a comparison.
    pub(super) fn side(&mut self, of: usize, alias: &str, expression: &Expression) -> Side {
        let plain = self.expression(of, alias, expression);
        let indexed = match expression.kind {
            ExpressionKind::Column(index) => self.words_index(of, index, alias),
            _ => None,
        };
        let scalar = expression.scalar.clone();
        Side { ordered: self.ordered(plain.clone(), &scalar), plain, scalar, indexed }
    }

    fn words_index(&mut self, of: usize, index: usize, alias: &str) -> Option<Indexed> {
        let resource = self.catalog.at(of);
        let column = &resource.columns[index];
        let masked = self.access[of].masks.iter().any(|(masked, _)| *masked == index);
        if self.dialect != Dialect::Sqlite || !column.searchable || masked {
            return None;
        }
        let key = self.stored(resource, resource.key, alias);
        let (rows, keys) = (format!("{}_search", resource.name), format!("{}_search_keys", resource.name));
        let (rows, keys, column) = (identifier(&rows), identifier(&keys), identifier(&column.name));
        Some(Indexed {
            key,
            matching: format!("select k.key from {rows} s join {keys} k on k.id = s.rowid where s.{column} match "),
            all: format!("select key from {keys}"),
        })
    }

    /// What a path leads to in a JSON column; NULL where it is not of the kind.
    pub(super) fn json(&mut self, column: &str, path: usize, kind: JsonKind) -> String {
        let number = self.number(Bind::Slot(path));
        match self.dialect {
            Dialect::Sqlite => format!("json_path({column}, ?{number}, '{}')", kind.name()),
            Dialect::Postgres => {
                let path = format!("${number}::text[]");
                let value = format!("json_typeof({column}::json #> {path})");
                let text = format!("({column}::json #>> {path})");
                match kind {
                    JsonKind::Json => format!("(case when {value} <> 'null' then {column}::json #> {path} end)"),
                    JsonKind::Written => text,
                    JsonKind::Rank => {
                        format!("array_position(array['string', 'number', 'boolean', 'array', 'object'], {value})")
                    }
                    JsonKind::Value => format!("nullif({value}, 'null')"),
                    JsonKind::Text => {
                        format!("(case when {value} in ('string', 'number', 'boolean') then {text} end)")
                    }
                    JsonKind::Boolean => format!("(case {value} when 'boolean' then {text}::boolean end)"),
                    // What a double does not hold would be an error: a number is looked at as a decimal before, and one
                    // whose exponent no decimal holds, as a text before that.
                    JsonKind::Number => format!(
                        "(case when {value} <> 'number' or {text} ~ '[eE][+-]?0*[1-9][0-9]{{3}}' then null \
                         when {text}::numeric = 0 then 0::float8 \
                         when abs({text}::numeric) between 1e-307 and 1.79e308 then {text}::float8 end)"
                    ),
                }
            }
        }
    }

    /// A comparison; unknown where a side is NULL.
    pub(super) fn comparison(&mut self, side: &Side, operator: Operator, slot: usize) -> String {
        let left = match operator {
            Operator::Eq | Operator::Neq => &side.plain,
            Operator::Lt | Operator::Lte | Operator::Gt | Operator::Gte => &side.ordered,
            Operator::In | Operator::NotIn => return self.membership(side, operator, slot),
            Operator::IsNull => return format!("{} is null", side.plain),
            Operator::Search => return self.search(side, slot),
            Operator::FullText(_, None) => return self.full_text(side, slot),
            Operator::FullText(_, Some(language)) => return self.in_language(&side.plain, language, slot),
            Operator::Like
            | Operator::Ilike
            | Operator::StartsWith
            | Operator::EndsWith
            | Operator::Contains
            | Operator::Match => return self.pattern(&side.plain, operator, slot),
        };
        // The others have been told apart above.
        let sign = sign(operator).unwrap_or("=");
        format!("{left} {sign} {}", self.bind(Bind::Slot(slot), &side.scalar))
    }

    /// One placeholder for the whole list, so that the statement's text does not depend on its length.
    fn membership(&mut self, side: &Side, operator: Operator, slot: usize) -> String {
        let number = self.number(Bind::Slot(slot));
        let not = operator == Operator::NotIn;
        let left = &side.plain;
        match self.dialect {
            Dialect::Postgres => {
                let (sign, any) = if not { ("<>", "all") } else { ("=", "any") };
                format!("{left} {sign} {any}(${number}::{}[])", side.scalar.postgres_type())
            }
            Dialect::Sqlite => {
                let not = if not { "not " } else { "" };
                let value = element(&side.scalar, "value");
                format!("{left} {not}in (select {value} from json_each(?{number}))")
            }
        }
    }

    fn pattern(&mut self, left: &str, operator: Operator, slot: usize) -> String {
        let right = self.bind(Bind::Slot(slot), &Scalar::Text);
        match (self.dialect, operator) {
            (Dialect::Sqlite, Operator::Ilike) => format!("matches_ilike({left}, {right})"),
            // The first part is what an index can seek by.
            (Dialect::Sqlite, Operator::StartsWith) => {
                format!("({left} >= {right} and substr({left}, 1, length({right})) = {right})")
            }
            (Dialect::Sqlite, Operator::Contains) => format!("instr({left}, {right}) > 0"),
            (Dialect::Sqlite, Operator::Match) => format!("matches_regex({left}, {right})"),
            (Dialect::Sqlite, _) => format!("matches_like({left}, {right})"),
            // Collation "C" folds ASCII alone: letters of all languages need another one.
            (Dialect::Postgres, Operator::Ilike) => format!("{left} collate \"und-x-icu\" ilike {right}"),
            // The edges of words are those of ASCII.
            (Dialect::Postgres, Operator::Match) => format!("{left} collate \"C\" ~ {right}"),
            (Dialect::Postgres, _) => format!("{left} like {right}"),
        }
    }

    fn search(&mut self, side: &Side, slot: usize) -> String {
        let query = self.bind(Bind::Slot(slot), &Scalar::Text);
        let left = &side.plain;
        match (self.dialect, &side.indexed) {
            (Dialect::Postgres, _) => format!("{} @@ {query}::tsquery", words::postgres(left)),
            // The index finds rows that may have the words: its own rule folds more. Under a `not` it would take what
            // is unknown for false.
            (Dialect::Sqlite, Some(Indexed { key, matching, .. })) if !self.negated => {
                format!("({key} in ({matching}{query}) and has_words({left}, {query}))")
            }
            (Dialect::Sqlite, _) => format!("has_words({left}, {query})"),
        }
    }

    /// A search whose operand is a list: what an index can be asked, the whole query where that is another, and what
    /// SQLite's index can be asked.
    fn full_text(&mut self, side: &Side, slot: usize) -> String {
        let number = self.number(Bind::Slot(slot));
        let left = &side.plain;
        match (self.dialect, &side.indexed) {
            (Dialect::Postgres, _) => {
                let part = |part: u8| format!("(${number}::text[])[{part}]");
                // What is NULL stays unknown by the first comparison.
                format!(
                    "({} @@ {}::tsquery and ({} is null or {left} is null or {} @@ {}::tsquery))",
                    words::postgres(left),
                    part(1),
                    part(2),
                    words::postgres_places(left),
                    part(2)
                )
            }
            (Dialect::Sqlite, Some(Indexed { key, matching, all })) if !self.negated => {
                let least = format!("?{number} ->> 2");
                format!(
                    "({key} in ({matching}ifnull({least}, '\"\"') union all {all} where {least} is null) \
                     and has_places({left}, ?{number}))"
                )
            }
            (Dialect::Sqlite, _) => format!("has_places({left}, ?{number})"),
        }
    }

    fn in_language(&mut self, left: &str, language: Language, slot: usize) -> String {
        let query = self.bind(Bind::Slot(slot), &Scalar::Text);
        let name = language.name();
        match self.dialect {
            Dialect::Postgres => {
                format!("{} @@ to_tsquery('{name}', {query})", words::postgres_stems(left, language))
            }
            Dialect::Sqlite => format!("has_stems({left}, {query}, '{name}')"),
        }
    }
}

/// An element of a list that is bound on SQLite, out of the array that `json_each` unpacks: JSON holds no BLOB, which a
/// UUID is, and no double to the last bit.
pub(super) fn element(scalar: &Scalar, value: &str) -> String {
    match scalar {
        Scalar::Uuid => format!("unhex({value})"),
        Scalar::Float => format!("as_real({value})"),
        _ => value.to_owned(),
    }
}

/// The sign of an operator that compares two values.
pub(super) const fn sign(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Eq => "=",
        Operator::Neq => "<>",
        Operator::Lt => "<",
        Operator::Lte => "<=",
        Operator::Gt => ">",
        Operator::Gte => ">=",
        _ => return None,
    })
}
