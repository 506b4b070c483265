//! Conditions on what is inside of JSON values.

use super::{Planner, find_column, operand};
use crate::{
    catalog::scalar::{JsonKind, Scalar},
    engine::{
        query::{Predicate, SlotKind},
        request::{JsonCondition, Slot},
    },
    error::{Error, Result},
};

impl Planner<'_> {
    pub(super) fn json(
        &mut self,
        resource: usize,
        name: &str,
        path: Slot,
        kind: JsonKind,
        condition: JsonCondition,
    ) -> Result<Predicate> {
        let of = self.catalog.at(resource);
        let column = find_column(of, name)?;
        let scalar = &of.columns[column].scalar;
        if *scalar != Scalar::Json {
            let message = format!("The column \"{name}\" is of type {}: no path leads into it", scalar.graphql());
            return Err(Error::bad_request(message).code("42883"));
        }
        let path = self.slot(path, SlotKind::Path { column: name.to_owned() });
        if let JsonCondition::Compare(operator, slot) = condition {
            let kind = operand(name, kind.scalar(), operator)?;
            self.slot(slot, kind);
        }
        Ok(Predicate::Json { column, path, kind, condition })
    }
}
