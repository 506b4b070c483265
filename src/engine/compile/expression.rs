//! What a row has one value of, as SQL: columns, those of related rows, aggregates, buckets of time.
//!
//! In: an [`Expression`] and the alias of its row's table. Out: SQL text for one dialect.

use super::{Compiler, cast::cast, identifier};
use crate::{
    catalog::{
        Bucket, Function, Relation, Resource,
        computed::{Computed, Piece},
        scalar::Scalar,
    },
    engine::{
        database::Dialect,
        query::{Aggregate, Expression, ExpressionKind},
    },
};

impl Compiler<'_> {
    /// A column as the caller may read it.
    pub(super) fn column(&mut self, of: usize, index: usize, alias: &str) -> String {
        let resource = self.catalog.at(of);
        let access = self.access;
        let value = match &resource.columns[index].computed {
            // Of what the caller may not read, nothing is computed for it.
            Some(computed) => self.computed(resource, computed, |compiler, index| compiler.column(of, index, alias)),
            None => self.stored(resource, index, alias),
        };
        match access[of].masks.iter().find(|(masked, _)| *masked == index) {
            None => value,
            Some((_, shown)) => format!("case when {} then {value} end", self.predicate(of, alias, shown)),
        }
    }

    /// A column as it is, whoever asks.
    pub(super) fn stored(&mut self, resource: &Resource, index: usize, alias: &str) -> String {
        let column = &resource.columns[index];
        match &column.computed {
            Some(computed) => {
                self.computed(resource, computed, |compiler, index| compiler.stored(resource, index, alias))
            }
            None => format!("{alias}.{}", identifier(&column.name)),
        }
    }

    /// The expression of a computed column, of the row's columns as `column` writes them.
    fn computed(
        &mut self,
        resource: &Resource,
        computed: &Computed,
        column: impl Fn(&mut Self, usize) -> String,
    ) -> String {
        let pieces = computed.pieces(self.dialect == Dialect::Postgres).iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            // The catalogue has found each to be a column that stands before this one.
            Piece::Column(name) => resource.column(name).map(|index| column(self, index)).unwrap_or_default(),
        });
        format!("({})", pieces.collect::<String>())
    }

    /// An expression of a row of the resource with the index `of`; of a group, `alias` is that of the groups.
    pub(super) fn expression(&mut self, of: usize, alias: &str, expression: &Expression) -> String {
        match &expression.kind {
            ExpressionKind::Column(index) => self.column(of, *index, alias),
            ExpressionKind::Json { column, path, kind } => {
                let column = self.column(of, *column, alias);
                self.json(&column, *path, *kind)
            }
            ExpressionKind::Bucket(value, bucket) => {
                let sql = self.expression(of, alias, value);
                self.bucket(&sql, *bucket, &value.scalar)
            }
            ExpressionKind::One(relation, inner) => {
                let relation = &self.catalog.at(of).relations[*relation];
                let (from, joined) = self.related(of, relation, alias);
                let inner = self.expression(relation.target, &joined, inner);
                format!("(select {inner} {from})")
            }
            ExpressionKind::Many { relation, filter, aggregate } => {
                let relation = &self.catalog.at(of).relations[*relation];
                let (mut from, joined) = self.related(of, relation, alias);
                if let Some(filter) = filter {
                    from.push_str(" and ");
                    from.push_str(&self.predicate(relation.target, &joined, filter));
                }
                let aggregate = self.aggregate(relation.target, &joined, aggregate);
                format!("(select {aggregate} {from})")
            }
            ExpressionKind::Key(number) => format!("{alias}.k{number}"),
            ExpressionKind::Measure(number) => format!("{alias}.m{number}"),
            ExpressionKind::Cast(value, to) => {
                let sql = self.expression(of, alias, value);
                cast(self.dialect, &sql, &value.scalar, *to)
            }
            ExpressionKind::Present => (if self.dialect == Dialect::Postgres { "true" } else { "1" }).to_owned(),
        }
    }

    /// The related rows that exist for the caller: a FROM with its WHERE, and their alias.
    pub(super) fn related(&mut self, of: usize, relation: &Relation, alias: &str) -> (String, String) {
        let (on, joined) = self.joined(of, relation, alias);
        let visible = self.visible(relation.target, &joined);
        let table = identifier(&self.catalog.at(relation.target).name);
        (format!("from {table} {joined} where {on} and {visible}"), joined)
    }

    /// The condition that joins related rows, and an alias for them: by what the caller may read, or it would read it
    /// in them.
    pub(super) fn joined(&mut self, of: usize, relation: &Relation, alias: &str) -> (String, String) {
        let joined = self.alias();
        let foreign = self.column(relation.target, relation.foreign, &joined);
        let local = self.column(of, relation.local, alias);
        (format!("{foreign} = {local}"), joined)
    }

    /// The rows of a resource that exist for the caller.
    pub(super) fn visible(&mut self, of: usize, alias: &str) -> String {
        let access = self.access;
        self.predicate(of, alias, &access[of].visible)
    }

    /// An expression where its order counts: texts by code point, as SQLite has them.
    pub(super) fn ordered(&self, sql: String, scalar: &Scalar) -> String {
        match (self.dialect, scalar) {
            // Of JSON, only what is grouped by is ordered, and that is a text.
            (Dialect::Postgres, Scalar::Text | Scalar::Json) => format!("{sql} collate \"C\""),
            (Dialect::Postgres, Scalar::Enum(_)) => format!("{sql}::text collate \"C\""),
            _ => sql,
        }
    }

    /// An expression where it is told. An enumeration is told as a text: of a type that it does not know, the driver asks
    /// the database by named statements, which a pooler may not know.
    pub(super) fn told_as(&self, sql: String, scalar: &Scalar) -> String {
        match (self.dialect, scalar) {
            (Dialect::Postgres, Scalar::Enum(_)) => format!("({sql})::text"),
            _ => sql,
        }
    }

    /// The first day of the bucket into which a date or an instant falls. SQLite has both as texts, the day first.
    fn bucket(&self, column: &str, bucket: Bucket, scalar: &Scalar) -> String {
        match (self.dialect, bucket) {
            (Dialect::Postgres, Bucket::Day) if *scalar == Scalar::Date => column.to_owned(),
            // The session's time zone is UTC.
            (Dialect::Postgres, _) => format!("date_trunc('{}', {column})::date", bucket.word()),
            (Dialect::Sqlite, Bucket::Day) => format!("substr({column}, 1, 10)"),
            // Monday is the day 0.
            (Dialect::Sqlite, Bucket::Week) => {
                let day = format!("substr({column}, 1, 10)");
                format!("date({day}, '-' || ((strftime('%w', {day}) + 6) % 7) || ' days')")
            }
            (Dialect::Sqlite, Bucket::Month) => format!("(substr({column}, 1, 7) || '-01')"),
            (Dialect::Sqlite, Bucket::Quarter) => {
                let month = format!("(substr({column}, 6, 2) - 1) / 3 * 3 + 1");
                format!("(substr({column}, 1, 5) || format('%02d-01', {month}))")
            }
            (Dialect::Sqlite, Bucket::Year) => format!("(substr({column}, 1, 4) || '-01-01')"),
        }
    }

    /// An aggregate of rows of the resource with the index `of`. Where the databases' own functions differ, SQLite is
    /// given ours.
    pub(super) fn aggregate(&mut self, of: usize, alias: &str, aggregate: &Aggregate) -> String {
        let Some(value) = &aggregate.of else { return "count(*)".to_owned() };
        let scalar = &value.scalar;
        let value = self.expression(of, alias, value);
        let postgres = self.dialect == Dialect::Postgres;
        match (aggregate.function, scalar) {
            (Function::Count, _) => format!("count({value})"),
            (Function::CountDistinct, _) => format!("count(distinct {value})"),
            // The sum of floating-point numbers depends on their order.
            (Function::Sum, Scalar::Float) if postgres => format!("sum({value} order by {value})"),
            (Function::Sum, Scalar::Float) => format!("sum_of_floats({value})"),
            (Function::Sum, _) if postgres => format!("sum({value})::int8"),
            (Function::Sum, _) => format!("sum_of_integers({value})"),
            (Function::Avg, Scalar::Float) if postgres => format!("sum({value} order by {value}) / count({value})"),
            (Function::Avg, Scalar::Float) => format!("sum_of_floats({value}) / count({value})"),
            (Function::Avg, Scalar::Decimal(decimal)) => {
                let places = match &aggregate.scalar {
                    Scalar::Decimal(mean) => mean.scale.saturating_sub(decimal.scale),
                    _ => 0,
                };
                let factor = 10i64.pow(places);
                if postgres {
                    // Half away from zero, in whole numbers: a division with a remainder would round by itself first.
                    let sum = format!("sum({value})");
                    format!("(sign({sum}) * div(2 * abs({sum}) * {factor} + count({value}), 2 * count({value})))::int8")
                } else {
                    format!("mean_of_integers({value}, {factor})")
                }
            }
            (Function::Avg, _) if postgres => format!("sum({value})::float8 / count({value})"),
            (Function::Avg, _) => format!("float_mean_of_integers({value})"),
            (Function::Min | Function::Max, scalar) => {
                let function = aggregate.function.graphql();
                match scalar {
                    // PostgreSQL has no least UUID; its text has the same order.
                    Scalar::Uuid if postgres => format!("{function}({value}::text collate \"C\")::uuid"),
                    _ => format!("{function}({})", self.ordered(value, scalar)),
                }
            }
        }
    }
}
