//! Aggregate functions where SQLite's own and PostgreSQL's differ: sums that are exact beyond 64 bits on the way, and
//! floating-point sums that do not depend on the order of the rows.
//!
//! In: the values of a column, NULLs left out. Out: NULL of no values; a result beyond 64 bits is an error.

use rusqlite::{
    Connection, Error,
    functions::{Aggregate, Context, FunctionFlags},
};

/// What the error of a result beyond its type says, by which it is known again.
pub(in super::super) const OUT_OF_RANGE: &str = "the result is out of range";

/// Gives a connection the functions.
pub(super) fn register(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_aggregate_function("sum_of_integers", 1, flags, Sum)?;
    connection.create_aggregate_function("mean_of_integers", 2, flags, Mean)?;
    connection.create_aggregate_function("float_mean_of_integers", 1, flags, FloatMean)?;
    connection.create_aggregate_function("sum_of_floats", 1, flags, FloatSum)
}

/// The integers so far. No table has the rows that 128 bits could not count.
#[derive(Debug, Default)]
struct Integers {
    sum: i128,
    count: i128,
    factor: i128,
}

impl Integers {
    fn add(&mut self, context: &mut Context<'_>) -> Result<(), Error> {
        if let Some(value) = context.get::<Option<i64>>(0)? {
            self.sum += i128::from(value);
            self.count += 1;
        }
        Ok(())
    }
}

fn in_range(value: i128) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::UserFunctionError(OUT_OF_RANGE.into()))
}

struct Sum;

impl Aggregate<Integers, Option<i64>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Integers, Error> {
        Ok(Integers::default())
    }

    fn step(&self, context: &mut Context<'_>, integers: &mut Integers) -> Result<(), Error> {
        integers.add(context)
    }

    fn finalize(&self, _: &mut Context<'_>, integers: Option<Integers>) -> Result<Option<i64>, Error> {
        integers.filter(|integers| integers.count > 0).map(|integers| in_range(integers.sum)).transpose()
    }
}

/// The mean of the values times the factor in the second argument, rounded half away from zero.
struct Mean;

impl Aggregate<Integers, Option<i64>> for Mean {
    fn init(&self, _: &mut Context<'_>) -> Result<Integers, Error> {
        Ok(Integers::default())
    }

    fn step(&self, context: &mut Context<'_>, integers: &mut Integers) -> Result<(), Error> {
        integers.factor = context.get::<i64>(1)?.into();
        integers.add(context)
    }

    fn finalize(&self, _: &mut Context<'_>, integers: Option<Integers>) -> Result<Option<i64>, Error> {
        let mean = |Integers { sum, count, factor }| {
            let rounded = (2 * sum.abs() * factor + count) / (2 * count);
            in_range(sum.signum() * rounded)
        };
        integers.filter(|integers| integers.count > 0).map(mean).transpose()
    }
}

struct FloatMean;

impl Aggregate<Integers, Option<f64>> for FloatMean {
    fn init(&self, _: &mut Context<'_>) -> Result<Integers, Error> {
        Ok(Integers::default())
    }

    fn step(&self, context: &mut Context<'_>, integers: &mut Integers) -> Result<(), Error> {
        integers.add(context)
    }

    fn finalize(&self, _: &mut Context<'_>, integers: Option<Integers>) -> Result<Option<f64>, Error> {
        let integers = integers.filter(|integers| integers.count > 0);
        Ok(integers.map(|integers| integers.sum as f64 / integers.count as f64))
    }
}

/// The values added in ascending order.
struct FloatSum;

impl Aggregate<Vec<f64>, Option<f64>> for FloatSum {
    fn init(&self, _: &mut Context<'_>) -> Result<Vec<f64>, Error> {
        Ok(Vec::new())
    }

    fn step(&self, context: &mut Context<'_>, values: &mut Vec<f64>) -> Result<(), Error> {
        values.extend(context.get::<Option<f64>>(0)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, values: Option<Vec<f64>>) -> Result<Option<f64>, Error> {
        let mut values = values.unwrap_or_default();
        values.sort_by(f64::total_cmp);
        match values.into_iter().reduce(|sum, value| sum + value) {
            Some(sum) if !sum.is_finite() => Err(Error::UserFunctionError(OUT_OF_RANGE.into())),
            sum => Ok(sum),
        }
    }
}
