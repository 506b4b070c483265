//! Values of a `select` and of an `order`: columns, paths into JSON, casts and aggregates, and the groups that
//! aggregates make of rows.
//!
//! In: items of a `select`, or the left side of a step of an order. Out: [`Field`]s, [`Term`]s and [`Groups`] in the
//! catalogue's names. The path into JSON is a value like any other: it gets a slot of its own.

use super::{
    left::Left,
    select::{Embed, Item, Value},
};
use crate::{
    catalog::{
        Bucket, Cardinality, Catalog, Function, Relation, Resource,
        scalar::{Cast, JsonKind},
    },
    engine::{
        bind::Argument,
        request::{Field, GroupKey, Groups, Measure, Order, SummaryKind, SummaryPart, Term},
    },
    error::{Error, Result, nearest},
};

/// PostgREST's names of the functions.
const FUNCTIONS: [(&str, Function); 5] = [
    ("avg", Function::Avg),
    ("count", Function::Count),
    ("max", Function::Max),
    ("min", Function::Min),
    ("sum", Function::Sum),
];

/// Whether items make groups of their rows: an aggregate or a stretch of time is among them, or among those of a row that is spread there.
pub(super) fn has_aggregates(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Star => false,
        Item::Value(value) => value.aggregate.is_some(),
        Item::Embed(embed) => embed.spread && has_aggregates(&embed.items),
    })
}

/// A value of a row, without an aggregate, as a field. Its path gets a slot in `arguments`.
///
/// # Errors
/// `42703` for an unknown column, `42704` for an unknown type, `PGRST100` for a path that leads nowhere by its form.
pub(super) fn field(resource: &Resource, value: &Value, arguments: &mut Vec<Argument>) -> Result<Field> {
    let name = name(value);
    Ok(match term(resource, value, arguments)? {
        // A name is a key in the answer's JSON and no more: it never enters a statement.
        Term::Column(column) => Field::Column { alias: Some(name).filter(|name| *name != column), name: column },
        term => Field::Term { alias: name, term },
    })
}

/// The groups that items with aggregates make of rows, without their order and page: by the values that stand beside
/// the aggregates, those of related rows to one among them; of all rows together, one group. `relation` finds what is
/// embedded. Paths get slots in `arguments`.
///
/// # Errors
/// Those of [`field`]; `PGRST100` for a function that there is not, `PGRST127` for rows to many beside an aggregate and
/// for an aggregate of one row, `42701` for two different members of one name.
pub(super) fn groups<'c>(
    catalog: &'c Catalog,
    resource: &'c Resource,
    items: &[Item],
    relation: &impl Fn(&'c Resource, &Embed) -> Result<&'c Relation>,
    arguments: &mut Vec<Argument>,
) -> Result<Groups> {
    let mut grouping = Grouping { catalog, relation, arguments, by: Vec::new() };
    let parts = grouping.parts(resource, items, &mut Vec::new(), false)?;
    Ok(Groups { by: grouping.by, having: None, order: Vec::new(), limit: None, offset: None, fill: None, parts })
}

/// An order of rows as one of groups, which have nothing but their keys to be ordered by.
///
/// # Errors
/// `PGRST100` for what the groups are not made by.
pub(super) fn group_order(groups: &Groups, order: Vec<Order>, arguments: &[Argument]) -> Result<Vec<Order>> {
    let key = |order: Order| {
        let number = groups.by.iter().position(|key| orders(&order.term, &key.term, arguments)).ok_or_else(|| {
            Error::bad_request(match &order.term {
                Term::Column(name) => format!("Groups cannot be ordered by \"{name}\", which select does not name"),
                _ => "Groups cannot be ordered by what select does not name".to_owned(),
            })
            .hint("Groups are ordered by the values that they are grouped by")
        })?;
        Ok(Order { term: Term::Key(number), ..order })
    };
    order.into_iter().map(key).collect()
}

/// What rows are ordered by at the left side of a step: a column, or what a path leads to. Behind `->` are values of any
/// kind, which are ordered by their kind, then as numbers or as texts.
///
/// # Errors
/// Those of [`Left::of`].
pub(super) fn order_terms(resource: &Resource, text: &str, arguments: &mut Vec<Argument>) -> Result<Vec<Term>> {
    let Left { column, path, .. } = Left::of(resource, text)?;
    let Some((path, kind)) = path else { return Ok(vec![Term::Column(column)]) };
    let mark = fnv1a(&format!("{path:?}"));
    let path = slot(arguments, path);
    let kinds: &[JsonKind] = match kind {
        JsonKind::Value => &[JsonKind::Rank, JsonKind::Number, JsonKind::Written],
        _ => &[JsonKind::Written],
    };
    let term = |kind: &JsonKind| Term::Json { column: column.clone(), path, kind: *kind };
    Ok(kinds.iter().map(|kind| Term::Marked(Box::new(term(kind)), mark)).collect())
}

/// FNV-1a, which is the same in every process.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The name under which the answer has a value: the alias, the function, or the last name of the path, as PostgREST.
fn name(value: &Value) -> String {
    if let Some(alias) = &value.alias {
        return alias.clone();
    }
    if let Some((function, _)) = &value.aggregate {
        return function.clone();
    }
    let is_index = |step: &&str| {
        let digits = step.strip_prefix('-').unwrap_or(step);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut steps = value.column.split("->").map(|step| step.strip_prefix('>').unwrap_or(step));
    let column = steps.next().unwrap_or_default();
    steps.filter(|step| !is_index(step)).last().unwrap_or(column).to_owned()
}

/// A value of a row, without its aggregate.
fn term(resource: &Resource, value: &Value, arguments: &mut Vec<Argument>) -> Result<Term> {
    let Left { column, path, .. } = Left::of(resource, &value.column)?;
    let term = match path {
        None => Term::Column(column),
        Some((path, kind)) => {
            let kind = if kind == JsonKind::Text { JsonKind::Written } else { JsonKind::Json };
            Term::Json { column, path: slot(arguments, path), kind }
        }
    };
    Ok(match &value.cast {
        None => term,
        Some(name) => Term::Cast(Box::new(term), cast(name)?),
    })
}

fn slot(arguments: &mut Vec<Argument>, argument: Argument) -> usize {
    arguments.push(argument);
    arguments.len() - 1
}

fn cast(name: &str) -> Result<Cast> {
    Cast::named(name).ok_or_else(|| {
        let error = Error::bad_request(format!("type \"{name}\" does not exist")).code("42704");
        error.hint(match nearest(name, Cast::names()) {
            Some(near) => format!("Did you mean \"{near}\"?"),
            None => format!("Values are cast to {}", Cast::names().collect::<Vec<_>>().join(", ")),
        })
    })
}

/// The stretch of time that a function names, by which rows are grouped: `column.month()`.
fn bucket(value: &Value, name: &str) -> Option<Bucket> {
    Bucket::ALL.into_iter().find(|bucket| bucket.word() == name && !value.column.is_empty())
}

fn function(value: &Value, name: &str) -> Result<Function> {
    let found = FUNCTIONS.iter().find(|(word, _)| *word == name);
    found.map(|(_, function)| *function).ok_or_else(|| {
        let error = Error::bad_request(format!("\"{}.{name}()\" is no aggregate", value.column));
        let names = FUNCTIONS.iter().map(|(name, _)| *name).chain(Bucket::ALL.map(Bucket::word));
        error.hint(match nearest(name, names) {
            Some(near) => format!("Did you mean {near}()?"),
            None => {
                "An aggregate is column.sum(), avg(), min(), max() or count(), or count() alone; a stretch of time, \
                     column.day(), week(), month(), quarter() or year()"
                    .to_owned()
            }
        })
    })
}

/// Something of the row at the end of relations to one.
fn along(way: &[String], term: Term) -> Term {
    way.iter().rev().fold(term, |term, relation| Term::One(relation.clone(), Box::new(term)))
}

/// Whether two terms are one value: their paths have slots of their own.
fn same(one: &Term, other: &Term, arguments: &[Argument]) -> bool {
    match (one, other) {
        (Term::Json { column: a, path: p, kind: k }, Term::Json { column: b, path: q, kind: l }) => {
            a == b && k == l && arguments.get(*p) == arguments.get(*q)
        }
        (Term::One(a, one), Term::One(b, other)) => a == b && same(one, other, arguments),
        (Term::Cast(one, a), Term::Cast(other, b)) => a == b && same(one, other, arguments),
        (one, other) => one == other,
    }
}

/// Whether a step of an order is by the key of a group; any look at a JSON value is by that value.
fn orders(step: &Term, key: &Term, arguments: &[Argument]) -> bool {
    match (step, key) {
        (Term::Json { column: a, path: p, .. }, Term::Json { column: b, path: q, kind }) => {
            let whole = Term::Json { column: b.clone(), path: *q, kind: *kind };
            let looked = Term::Json { column: a.clone(), path: *p, kind: *kind };
            (*kind == JsonKind::Json || step == &looked) && same(&looked, &whole, arguments)
        }
        (Term::Marked(step, _), key) => orders(step, key, arguments),
        (Term::One(a, step), Term::One(b, key)) => a == b && orders(step, key, arguments),
        (step, key) => step == key,
    }
}

/// Collects what rows are grouped by.
struct Grouping<'c, 'a, R> {
    catalog: &'c Catalog,
    relation: &'a R,
    arguments: &'a mut Vec<Argument>,
    by: Vec<GroupKey>,
}

impl<'c, R: Fn(&'c Resource, &Embed) -> Result<&'c Relation>> Grouping<'c, '_, R> {
    /// The members that items of the row at the end of `way` make; `within` an object or among those of the group.
    fn parts(
        &mut self,
        resource: &'c Resource,
        items: &[Item],
        way: &mut Vec<String>,
        within: bool,
    ) -> Result<Vec<SummaryPart>> {
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Star => {
                    for name in resource.column_names() {
                        let kind = SummaryKind::Key(self.key(along(way, Term::column(name)), None));
                        add(&mut parts, SummaryPart { alias: name.to_owned(), kind })?;
                    }
                }
                Item::Value(value) => {
                    let kind = self.value(resource, value, way, within)?;
                    add(&mut parts, SummaryPart { alias: name(value), kind })?;
                }
                Item::Embed(embed) => {
                    for part in self.embed(resource, embed, way, within)? {
                        add(&mut parts, part)?;
                    }
                }
            }
        }
        Ok(parts)
    }

    fn value(&mut self, resource: &Resource, value: &Value, way: &[String], within: bool) -> Result<SummaryKind> {
        let Some((name, cast_to)) = &value.aggregate else {
            let term = term(resource, value, self.arguments)?;
            return Ok(SummaryKind::Key(self.key(along(way, term), None)));
        };
        let cast_to = cast_to.as_deref().map(cast).transpose()?;
        let told = |kind: SummaryKind| match cast_to {
            None => kind,
            Some(cast) => SummaryKind::Cast(Box::new(kind), cast),
        };
        if let Some(bucket) = bucket(value, name) {
            let term = term(resource, value, self.arguments)?;
            return Ok(told(SummaryKind::Key(self.key(along(way, term), Some(bucket)))));
        }
        let function = function(value, name)?;
        if within {
            return Err(not_implemented("An aggregate inside of a relation to one would be of one row")
                .hint(format!("Spread the relation: ...{}(…)", way.last().map_or("", String::as_str))));
        }
        let of = match (value.column.is_empty(), way.is_empty()) {
            (true, true) => None,
            // The rows that are there at the end of the way.
            (true, false) => Some(along(way, Term::Present)),
            (false, _) => Some(along(way, term(resource, value, self.arguments)?)),
        };
        Ok(told(SummaryKind::Measure(Measure { function, of: of.map(Box::new) })))
    }

    fn embed(
        &mut self,
        resource: &'c Resource,
        embed: &Embed,
        way: &mut Vec<String>,
        within: bool,
    ) -> Result<Vec<SummaryPart>> {
        let relation = (self.relation)(resource, embed)?;
        if relation.cardinality == Cardinality::Many && !embed.items.is_empty() {
            return Err(not_implemented(format!(
                "Rows are not grouped by the rows of \"{}\", which is a relation to many",
                embed.name
            ))
            .hint(format!("Aggregates of those rows stand inside: {}(count())", embed.name)));
        }
        // What tells nothing is there for its filters alone.
        if embed.items.is_empty() {
            return Ok(Vec::new());
        }
        let target = self.catalog.at(relation.target);
        way.push(relation.name.clone());
        let parts = self.parts(target, &embed.items, way, within || !embed.spread);
        let present = along(way, Term::Present);
        way.pop();
        if embed.spread {
            return parts;
        }
        let kind = SummaryKind::Row { present: self.key(present, None), parts: parts? };
        Ok(vec![SummaryPart { alias: embed.alias.clone().unwrap_or_else(|| embed.name.clone()), kind }])
    }

    /// The number of the key that a term is, or the stretch of time into which it falls.
    fn key(&mut self, term: Term, bucket: Option<Bucket>) -> usize {
        let known = |key: &GroupKey| key.bucket == bucket && same(&key.term, &term, self.arguments);
        self.by.iter().position(known).unwrap_or_else(|| {
            self.by.push(GroupKey { term, bucket });
            self.by.len() - 1
        })
    }
}

/// Adds a member. Of two different ones of one name, a JSON parser would keep one.
fn add(parts: &mut Vec<SummaryPart>, part: SummaryPart) -> Result<()> {
    match parts.iter().find(|other| other.alias == part.alias) {
        None => parts.push(part),
        Some(other) if *other == part => {}
        Some(_) => {
            return Err(Error::bad_request(format!("\"{}\" is twice among the names of the answer", part.alias))
                .code("42701")
                .hint(format!("Name one of them: total:{}", spelled(&part))));
        }
    }
    Ok(())
}

/// A member as an example of `select` has it.
fn spelled(part: &SummaryPart) -> String {
    match &part.kind {
        SummaryKind::Measure(Measure { of: Some(of), .. }) => match &**of {
            Term::Column(column) => format!("{column}.{}()", part.alias),
            _ => format!("….{}()", part.alias),
        },
        _ => part.alias.clone(),
    }
}

fn not_implemented(details: impl Into<String>) -> Error {
    Error::bad_request("Feature not implemented").code("PGRST127").details(details)
}
