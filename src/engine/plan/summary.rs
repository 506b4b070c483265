//! What is told of several rows together: aggregates of a whole list, and of its groups.
//!
//! In: the members of an aggregate, or [`Groups`]. Out: a [`Summary`], which has each aggregate once, however often it is
//! told, compared or ordered by.

use super::{
    Planner,
    filter::{cast_of, ordered, push},
    limits, member,
};
use crate::{
    catalog::{
        Bucket,
        scalar::{Scalar, Style},
    },
    engine::{
        query::{Aggregate, Expression, ExpressionKind, Member, MemberKind, SlotKind, Sort, Summary},
        request::{GroupKey, Groups, Measure, SummaryKind, SummaryPart, Term},
    },
    error::{Error, Result},
};

/// By how many keys rows are grouped at most.
const MAX_KEYS: usize = 8;

/// What the members of a summary can name.
#[derive(Debug, Default)]
pub(super) struct GroupScope {
    keys: Vec<Expression>,
    measures: Vec<Aggregate>,
}

impl Planner<'_> {
    /// Aggregates of all rows of a list.
    pub(super) fn aggregate(&mut self, resource: usize, parts: &[SummaryPart]) -> Result<Summary> {
        let outer = self.group.replace(GroupScope::default());
        let parts = self.members(resource, parts)?;
        let scope = std::mem::replace(&mut self.group, outer).unwrap_or_default();
        Ok(Summary {
            keys: Vec::new(),
            measures: scope.measures,
            having: None,
            order: Vec::new(),
            limit: 1,
            offset: None,
            fill: None,
            parts,
        })
    }

    /// The groups of a list's rows.
    pub(super) fn groups(&mut self, resource: usize, groups: &Groups) -> Result<Summary> {
        let mut keys = Vec::with_capacity(groups.by.len());
        for key in &groups.by {
            let key = self.key_expression(resource, key)?;
            // In a URL two values may be one by another name: a text is its own cast to text.
            if self.style == Style::GraphQl && keys.contains(&key) {
                let name = member(self.style, &key.name.replace('.', "_"));
                return Err(Error::bad_value(format!("{name} is twice among the keys of the groups")).field("by"));
            }
            keys.push(key);
        }
        if keys.iter().filter(|key| !key.kind.is_presence()).count() > MAX_KEYS {
            return Err(Error::bad_value(format!("Rows are grouped by {MAX_KEYS} keys at most")).field("by"));
        }
        let outer = self.group.replace(GroupScope { keys, measures: Vec::new() });
        let having = groups.having.as_ref().map(|having| self.filter(resource, having)).transpose()?;
        let order = self.group_order(resource, groups)?;
        let parts = self.members(resource, &groups.parts)?;
        let GroupScope { keys, measures } = std::mem::replace(&mut self.group, outer).unwrap_or_default();
        let limit = self.limit(resource, groups.limit, self.bounds.max_page).map_err(|error| error.field("first"))?;
        let offset = groups.offset.map(|slot| self.slot(slot, SlotKind::Offset));
        let fill = groups.fill.map(|(from, to)| self.fill(&keys, from, to)).transpose()?;
        Ok(Summary { keys, measures, having, order, limit, offset, fill, parts })
    }

    fn key_expression(&mut self, resource: usize, key: &GroupKey) -> Result<Expression> {
        limits::check_order(&key.term, &mut self.conditions)?;
        let value = self.term(resource, &key.term)?;
        if value.scalar == Scalar::Json && self.style == Style::GraphQl {
            return Err(Error::bad_value(format!("Rows are not grouped by the column \"{}\"", value.name))
                .code("42883")
                .field("by"));
        }
        let Some(bucket) = key.bucket else { return Ok(value) };
        if !Bucket::applies(&value.scalar) {
            return Err(Error::bad_value(format!(
                "The column \"{}\" is no time that falls into a {}",
                value.name,
                bucket.word()
            ))
            .field("by"));
        }
        Ok(Expression {
            scalar: Scalar::Date,
            nullable: value.nullable,
            name: format!("{}.{}", value.name, bucket.word()),
            kind: ExpressionKind::Bucket(Box::new(value), bucket),
        })
    }

    /// The order of groups: what the client says, then the keys, which make it total.
    fn group_order(&mut self, resource: usize, groups: &Groups) -> Result<Vec<Sort>> {
        let mut sorts = Vec::with_capacity(groups.order.len() + groups.by.len());
        for one in &groups.order {
            let expression = match self.term(resource, &one.term)? {
                // A key has an order whatever it is, since the groups have one.
                key @ Expression { kind: ExpressionKind::Key(_), .. } => key,
                expression => ordered(expression)?,
            };
            push(&mut sorts, expression, one.descending, one.nulls_first);
        }
        for number in 0..groups.by.len() {
            push(&mut sorts, self.group_key(number)?, false, None);
        }
        Ok(sorts)
    }

    /// The one bucket among the keys that is told also where no row falls into it.
    fn fill(&mut self, keys: &[Expression], from: usize, to: usize) -> Result<(usize, usize)> {
        let mut buckets = keys.iter().enumerate().filter_map(|(index, key)| match &key.kind {
            ExpressionKind::Bucket(_, bucket) => Some((index, *bucket)),
            _ => None,
        });
        let (Some((index, bucket)), None) = (buckets.next(), buckets.next()) else {
            return Err(Error::bad_value("fill needs exactly one day, week, month, quarter or year among the keys")
                .field("fill"));
        };
        let from = self.slot(from, SlotKind::Operand { column: "fill.from".to_owned(), scalar: Scalar::Date });
        Ok((index, self.slot(to, SlotKind::Series { from, bucket })))
    }

    fn members(&mut self, resource: usize, parts: &[SummaryPart]) -> Result<Vec<Member>> {
        let member = |part: &SummaryPart| {
            let kind = match &part.kind {
                SummaryKind::Object(parts) => MemberKind::Object(self.members(resource, parts)?),
                SummaryKind::Row { present, parts } => {
                    MemberKind::Row(self.group_key(*present)?, self.members(resource, parts)?)
                }
                SummaryKind::TypeName(name) => MemberKind::TypeName(name.clone()),
                value => {
                    self.count_told()?;
                    MemberKind::Value(self.group_value(resource, value)?)
                }
            };
            Ok(Member { alias: part.alias.clone(), kind })
        };
        parts.iter().map(member).collect()
    }

    /// A member that is one value.
    fn group_value(&mut self, resource: usize, kind: &SummaryKind) -> Result<Expression> {
        match kind {
            SummaryKind::Key(number) => self.group_key(*number),
            SummaryKind::Measure(measure) => self.term(resource, &Term::Measure(measure.clone())),
            SummaryKind::Cast(kind, cast) => cast_of(self.group_value(resource, kind)?, *cast),
            SummaryKind::Object(_) | SummaryKind::Row { .. } | SummaryKind::TypeName(_) => {
                Err(Error::internal("an object where a value is cast"))
            }
        }
    }

    /// The key with a number, of the group that is being planned.
    pub(super) fn group_key(&self, number: usize) -> Result<Expression> {
        let keys = self.group.as_ref().map(|group| group.keys.as_slice()).unwrap_or_default();
        let key = keys.get(number).ok_or_else(|| Error::internal("a group without that key"))?;
        Ok(Expression { kind: ExpressionKind::Key(number), ..key.clone() })
    }

    /// The number of an aggregate of the group that is being planned, and the aggregate.
    pub(super) fn group_measure(&mut self, resource: usize, measure: &Measure) -> Result<(usize, Aggregate)> {
        let aggregate = self.measure(resource, measure)?;
        let group = self.group.as_mut().ok_or_else(|| Error::internal("an aggregate outside of a group"))?;
        let number = group.measures.iter().position(|other| *other == aggregate).unwrap_or_else(|| {
            group.measures.push(aggregate.clone());
            group.measures.len() - 1
        });
        Ok((number, aggregate))
    }
}
