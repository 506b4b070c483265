//! What generated rows hold: a function of their number alone.
//!
//! In: the number of a row, or a day. Out: its values, in the order of its columns. The generator is written out here,
//! since that of a library may change with its version and the rows with it.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use sea_orm::Value;
use uuid::Uuid;

/// The columns of a generated expense.
pub(super) const EXPENSE: [&str; 10] =
    ["id", "user_id", "title", "description", "amount", "currency", "category", "spent_on", "created_at", "updated_at"];

/// The columns of a generated budget.
pub(super) const BUDGET: [&str; 8] =
    ["id", "user_id", "category", "month", "limit_amount", "currency", "created_at", "updated_at"];

/// The last day of the expenses in bulk, and how many days they reach back.
const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
const REACH: u64 = 3 * 365;

/// Common and botanical names.
const SPECIES: [(&str, &str); 24] = [
    ("Silver Birch", "Betula pendula"),
    ("Common Beech", "Fagus sylvatica"),
    ("English Oak", "Quercus robur"),
    ("Red Oak", "Quercus rubra"),
    ("White Oak", "Quercus alba"),
    ("Sugar Maple", "Acer saccharum"),
    ("Norway Maple", "Acer platanoides"),
    ("Field Maple", "Acer campestre"),
    ("Ginkgo", "Ginkgo biloba"),
    ("Common Ash", "Fraxinus excelsior"),
    ("White Willow", "Salix alba"),
    ("Weeping Willow", "Salix babylonica"),
    ("Black Poplar", "Populus nigra"),
    ("Small-leaved Lime", "Tilia cordata"),
    ("Horse Chestnut", "Aesculus hippocastanum"),
    ("Sweet Chestnut", "Castanea sativa"),
    ("Common Hornbeam", "Carpinus betulus"),
    ("Scots Pine", "Pinus sylvestris"),
    ("Norway Spruce", "Picea abies"),
    ("European Larch", "Larix decidua"),
    ("Coast Redwood", "Sequoia sempervirens"),
    ("Olive", "Olea europaea"),
    ("Baobab", "Adansonia digitata"),
    ("Cork Oak", "Quercus suber"),
];

/// What money goes on: a category, what it was, and from how much to how much it costs, in cents.
const PURCHASES: [(&str, &str, i64, i64); 12] = [
    ("Groceries", "Weekly groceries", 2_500, 14_000),
    ("Groceries", "Bakery", 300, 1_800),
    ("Groceries", "Farmers' market", 900, 6_000),
    ("Eating out", "Lunch", 900, 2_400),
    ("Eating out", "Dinner with friends", 2_200, 9_500),
    ("Eating out", "Coffee", 250, 650),
    ("Transport", "Train ticket", 280, 7_900),
    ("Transport", "Bicycle repair", 1_500, 12_000),
    ("Health", "Pharmacy", 400, 4_500),
    ("Home", "Household goods", 700, 11_000),
    ("Leisure", "Cinema", 1_100, 3_200),
    ("Leisure", "Books", 800, 5_600),
];

/// What comes every month: the day, the category, what it is and what it costs, in cents.
const BILLS: [(u32, &str, &str, i64); 4] = [
    (1, "Housing", "Rent", 120_000),
    (3, "Housing", "Electricity", 6_450),
    (5, "Transport", "Monthly pass", 4_900),
    (12, "Leisure", "Music streaming", 1_099),
];

/// What the demo user means to spend on each category in a month, in cents; a little more than is likely, or a little less.
const LIMITS: [(&str, i64); 7] = [
    ("Groceries", 55_000),
    ("Eating out", 25_000),
    ("Transport", 30_000),
    ("Health", 8_000),
    ("Home", 15_000),
    ("Housing", 130_000),
    ("Leisure", 18_000),
];

/// SplitMix64: small, fast, and the same for ever.
struct SplitMix(u64);

impl SplitMix {
    /// The numbers of row `index` of `stream`, whatever the other rows are.
    fn of(stream: u64, index: u64) -> Self {
        let mut mixer = Self(stream);
        let start = mixer.next() ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        Self(start)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0. Its bias is below one in 2³² for the bounds used here.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        // In range: the remainder is below the length.
        &from[self.below(from.len() as u64) as usize]
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1).unsigned_abs()) as i64
    }

    /// A UUIDv7 of the time `at`.
    fn uuid(&mut self, at: DateTime<Utc>) -> Uuid {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next().to_le_bytes());
        random[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        uuid::Builder::from_unix_timestamp_millis(at.timestamp_millis().unsigned_abs(), &random).into_uuid()
    }
}

/// Name and species of the tree with the number `index`.
pub(super) fn tree(index: u64) -> Vec<Value> {
    let (name, species) = SplitMix::of(1, index).pick(&SPECIES);
    vec![format!("{name} {}", index + 1).into(), (*species).into()]
}

/// The key of a user who owns expenses in bulk.
pub(super) fn user_id(number: u64) -> Uuid {
    SplitMix::of(2, number).uuid(at(LAST_DAY, 0))
}

/// The expense with the number `index`.
pub(super) fn expense(index: u64, user: Uuid) -> Vec<Value> {
    let mut random = SplitMix::of(3, index);
    let day = LAST_DAY.checked_sub_days(Days::new(random.below(REACH))).unwrap_or(LAST_DAY);
    let (category, title, least, most) = *random.pick(&PURCHASES);
    let currency = *random.pick(&["USD", "USD", "USD", "USD", "USD", "USD", "USD", "USD", "EUR", "GBP"]);
    let category = (random.below(20) > 0).then_some(category);
    let description = (random.below(10) < 3).then(|| format!("Receipt {}", index + 1));
    let amount = random.between(least, most);
    row(&mut random, day, user, (title, description, amount, currency, category))
}

/// What the demo user spent on `day`: the bills of the day, and up to two purchases.
pub(super) fn demo_day(day: NaiveDate, user: Uuid) -> Vec<Vec<Value>> {
    let mut random = SplitMix::of(4, u64::from(day.num_days_from_ce().unsigned_abs()));
    let mut rows = Vec::new();
    for (_, category, title, amount) in BILLS.iter().filter(|bill| bill.0 == day.day()) {
        rows.push(row(&mut random, day, user, (title, None, *amount, "USD", Some(category))));
    }
    for _ in 0..random.below(3) {
        let (category, title, least, most) = *random.pick(&PURCHASES);
        let amount = random.between(least, most);
        rows.push(row(&mut random, day, user, (title, None, amount, "USD", Some(category))));
    }
    rows
}

/// What the demo user means to spend in the month that begins with `first`: some months are planned a little tighter.
pub(super) fn demo_month(first: NaiveDate, user: Uuid) -> Vec<Vec<Value>> {
    let mut random = SplitMix::of(5, u64::from(first.num_days_from_ce().unsigned_abs()));
    let created = at(first, 0);
    let mut budget = |(category, limit): (&str, i64)| {
        let limit = limit - 1_000 * random.between(0, 5);
        let id = random.uuid(created);
        let times = [created.into(), created.into()];
        [id.into(), user.into(), category.into(), first.into(), limit.into(), "USD".into()]
            .into_iter()
            .chain(times)
            .collect()
    };
    LIMITS.into_iter().map(&mut budget).collect()
}

/// Title, description, amount, currency and category of an expense.
type Purchase<'a> = (&'a str, Option<String>, i64, &'a str, Option<&'a str>);

fn row(random: &mut SplitMix, day: NaiveDate, user: Uuid, purchase: Purchase<'_>) -> Vec<Value> {
    let (title, description, amount, currency, category) = purchase;
    let created = at(day, random.below(86_400) as u32);
    vec![
        random.uuid(created).into(),
        user.into(),
        title.into(),
        description.into(),
        amount.into(),
        currency.into(),
        category.into(),
        day.into(),
        created.into(),
        created.into(),
    ]
}

/// A second of a day.
fn at(day: NaiveDate, second: u32) -> DateTime<Utc> {
    day.and_time(NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap_or_default()).and_utc()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first numbers of the reference implementation for the seed 1234567.
        let mut random = SplitMix(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn rows_are_a_function_of_their_number() {
        assert_eq!(expense(7, Uuid::nil()), expense(7, Uuid::nil()));
        assert_eq!(tree(41)[0], Value::from("Weeping Willow 42"));
        assert_eq!(expense(0, Uuid::nil()).len(), EXPENSE.len());
    }

    #[test]
    fn keys_differ() {
        let keys: HashSet<String> = (0..20_000).map(|index| format!("{:?}", expense(index, Uuid::nil())[0])).collect();
        assert_eq!(keys.len(), 20_000);
    }

    #[test]
    fn a_month_of_the_demo_user_has_a_budget_for_all_that_money_goes_on() {
        let first = LAST_DAY.with_day(1).unwrap();
        let rows = demo_month(first, Uuid::nil());
        assert_eq!(rows, demo_month(first, Uuid::nil()));
        assert!(rows.iter().all(|row| row.len() == BUDGET.len() && row[3] == Value::from(first)));
        for category in PURCHASES.map(|one| one.0).into_iter().chain(BILLS.map(|one| one.1)) {
            assert!(rows.iter().any(|row| row[2] == Value::from(category)), "{category}");
        }
    }

    #[test]
    fn a_year_of_the_demo_user_has_every_bill_and_some_hundred_purchases() {
        let day = |n: u64| LAST_DAY.checked_sub_days(Days::new(n)).unwrap();
        let rows: usize = (0..365).map(|n| demo_day(day(n), Uuid::nil()).len()).sum();
        assert!((300..600).contains(&rows), "{rows}");
    }
}
