//! Lists in groups: by columns and by parts of days, with those that must be filled in.

use std::cmp::Ordering;

use chrono::{Datelike as _, Days, Months, NaiveDate};

use super::{
    answer::{measured, object},
    filter::{all, any, not, test},
    request::{Bucket, GroupKey, Groups, Having, Way},
    schema::{TABLES, camel},
    value::{Kind, Value},
    view::View,
    world::Row,
};

/// How many groups are told if no number is named.
const FIRST: usize = 100;

impl Bucket {
    pub(super) const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The first day of the bucket in which a day falls.
    pub(super) fn start(self, day: NaiveDate) -> NaiveDate {
        let first = |month: u32| NaiveDate::from_ymd_opt(day.year(), month, 1).expect("the first of a month");
        match self {
            Self::Day => day,
            Self::Week => day - Days::new(day.weekday().num_days_from_monday().into()),
            Self::Month => first(day.month()),
            Self::Quarter => first((day.month() - 1) / 3 * 3 + 1),
            Self::Year => first(1),
        }
    }

    fn next(self, start: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => start + Days::new(1),
            Self::Week => start + Days::new(7),
            Self::Month => start + Months::new(1),
            Self::Quarter => start + Months::new(3),
            Self::Year => start + Months::new(12),
        }
    }

    /// The buckets from the one of a day to that of another.
    pub(super) fn span(self, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        let mut spanned = Vec::new();
        let mut at = self.start(from);
        while at <= to {
            spanned.push(at);
            at = self.next(at);
        }
        spanned
    }
}

/// A group: its key, and its rows.
type Group<'w> = (Vec<Value>, Vec<&'w Row>);

/// The value of a group's key in a row.
pub(super) fn key_of(row: &Row, by: (usize, Option<Bucket>)) -> Value {
    match (&row[by.0], by.1) {
        (Value::Date(day), Some(bucket)) => Value::Date(bucket.start(*day)),
        (Value::Time(instant), Some(bucket)) => Value::Date(bucket.start(instant.date_naive())),
        (value, _) => value.clone(),
    }
}

fn same(a: &[Value], b: &[Value]) -> bool {
    let ascending = Way { descending: false, nulls_first: None };
    a.iter().zip(b).all(|(a, b)| ascending.order(a, b) == Ordering::Equal)
}

fn add(groups: &mut Vec<Group<'_>>, key: Vec<Value>) -> usize {
    let found = groups.iter().position(|(known, _)| same(known, &key));
    found.unwrap_or_else(|| {
        groups.push((key, Vec::new()));
        groups.len() - 1
    })
}

impl Groups {
    /// The groups of rows, in their order.
    pub(super) fn cut<'w>(&self, table: usize, rows: &[&'w Row]) -> Vec<Group<'w>> {
        let mut groups: Vec<Group<'w>> = Vec::new();
        for row in rows {
            let at = add(&mut groups, self.by.iter().map(|by| key_of(row, *by)).collect());
            groups[at].1.push(row);
        }
        if let Some((Value::Date(from), Value::Date(to))) = &self.fill {
            let at = self.by.iter().position(|(_, bucket)| bucket.is_some()).expect("one bucket");
            let bucket = self.by[at].1.expect("a bucket");
            let mut others: Vec<Vec<Value>> = groups.iter().map(|(key, _)| key.clone()).collect();
            if self.by.len() == 1 {
                others = vec![vec![Value::Null]];
            }
            for mut key in others {
                for day in bucket.span(*from, *to) {
                    key[at] = Value::Date(day);
                    add(&mut groups, key.clone());
                }
            }
        }
        if let Some(having) = &self.having {
            groups.retain(|(_, rows)| having.holds(table, rows) == Some(true));
        }
        let ascending = Way { descending: false, nulls_first: None };
        let ties = (0..self.by.len()).map(|at| (GroupKey::Key(at), ascending));
        let order: Vec<_> = self.order.iter().copied().chain(ties).collect();
        let value = |(key, rows): &Group<'_>, by: GroupKey| match by {
            GroupKey::Key(at) => key[at].clone(),
            GroupKey::Measure(measure) => measure.of(table, rows),
        };
        groups.sort_by(|a, b| {
            let compared = order.iter().map(|(by, way)| way.order(&value(a, *by), &value(b, *by)));
            compared.fold(Ordering::Equal, Ordering::then)
        });
        groups.truncate(self.first.unwrap_or(FIRST));
        groups
    }

    /// The groups as GraphQL tells them.
    pub(super) fn of(&self, table: usize, rows: &[&Row]) -> Vec<String> {
        let groups = self.cut(table, rows);
        let told = groups.iter().map(|(key, rows)| {
            let members =
                self.by.iter().zip(key).map(|(by, value)| (self.field(table, *by), value.json(kind(table, *by), true)));
            let measures = measured(table, &self.tell, rows);
            object([("key".to_owned(), object(members))].into_iter().chain(measures))
        });
        told.collect()
    }

    /// The field of a key.
    pub(super) fn field(&self, table: usize, by: (usize, Option<Bucket>)) -> String {
        camel(&name(table, by))
    }
}

/// The type of a group's key.
pub(super) fn kind(table: usize, by: (usize, Option<Bucket>)) -> Kind {
    if by.1.is_some() { Kind::Date } else { TABLES[table].columns[by.0].kind }
}

/// The name of a group's key: `spent_on`, `spent_on_month`.
pub(super) fn name(table: usize, by: (usize, Option<Bucket>)) -> String {
    let column = TABLES[table].columns[by.0].name;
    by.1.map_or_else(|| column.to_owned(), |bucket| format!("{column}_{}", bucket.name()))
}

impl Having {
    fn holds(&self, table: usize, rows: &[&Row]) -> Option<bool> {
        match self {
            Self::And(having) => all(having.iter().map(|one| one.holds(table, rows))),
            Self::Or(having) => any(having.iter().map(|one| one.holds(table, rows))),
            Self::Not(one) => not(one.holds(table, rows)),
            Self::Measured(measure, tests) => {
                let value = measure.of(table, rows);
                all(tests.iter().map(|one| test(&value, one)))
            }
        }
    }
}

impl View<'_> {
    /// The groups of a list that is not paged.
    pub(super) fn grouped(&self, list: &super::request::List, groups: &Groups) -> Vec<(Vec<Value>, Vec<&Row>)> {
        groups.cut(list.table, &self.list(list, self.rows(list.table)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_begin_where_people_say() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        for (bucket, of, start) in [
            (Bucket::Week, "2024-12-30", "2024-12-30"),
            (Bucket::Week, "2025-01-05", "2024-12-30"),
            (Bucket::Week, "2021-01-03", "2020-12-28"),
            (Bucket::Month, "2024-02-29", "2024-02-01"),
            (Bucket::Quarter, "2026-03-31", "2026-01-01"),
            (Bucket::Quarter, "2026-04-01", "2026-04-01"),
            (Bucket::Year, "2024-12-31", "2024-01-01"),
        ] {
            assert_eq!(bucket.start(day(of)), day(start), "{of}");
        }
        assert_eq!(Bucket::Month.span(day("2024-01-31"), day("2024-03-01")).len(), 3);
        assert_eq!(Bucket::Week.span(day("2024-12-29"), day("2024-12-30")).len(), 2);
    }
}
