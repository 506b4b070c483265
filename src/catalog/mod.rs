//! What exists: the resources, as an ordinary value that is built at start and never changes.
//!
//! In: declarations, today SeaORM entities ([`Builder`]). Out: a [`Catalog`] of plain data, of which GraphQL, REST,
//! OpenAPI, policies and limits are projections. Nothing above knows where it came from.

mod aggregate;
mod column;
pub(crate) mod computed;
mod hooks;
mod language;
mod naming;
mod operator;
pub mod policy;
mod relation;
mod resource;
pub mod scalar;
mod source;

pub use aggregate::{Bucket, Function};
pub use column::{Column, Fill, Rule};
pub use computed::Computed;
pub use hooks::{Columns, Hooks, Orm};
pub use language::Language;
pub use naming::Names;
pub use operator::{Operator, Syntax};
pub use relation::{Cardinality, Relation};
pub use resource::Resource;
pub use source::{Builder, Declaration, Options, asc, desc};

use crate::error::{Error, Result, nearest};

/// Everything that the API serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    resources: Vec<Resource>,
}

impl Catalog {
    /// The resources, in the order of their declaration.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resource at an index that the catalogue itself gave out.
    pub fn at(&self, index: usize) -> &Resource {
        &self.resources[index]
    }

    /// The index of the resource `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.resources.iter().position(|resource| resource.name == name)
    }

    /// The index of the resource `name`, or the error that a client gets for asking after it.
    ///
    /// # Errors
    /// `PGRST205`, with the nearest name as hint.
    pub fn find(&self, name: &str) -> Result<usize> {
        self.position(name).ok_or_else(|| {
            let error = Error::not_found(format!("Could not find the table 'public.{name}' in the schema cache"));
            let error = error.code("PGRST205");
            match nearest(name, self.resources.iter().map(|resource| resource.name.as_str())) {
                Some(near) => error.hint(format!("Perhaps you meant the table 'public.{near}'")),
                None => error,
            }
        })
    }
}
