//! Whether each variable fits where it stands (GraphQL specification, section 5.8.5), which the schema's own validation
//! declares as a rule and does not come to apply; and what stands at `__typename`, at which it does not look.
//!
//! In: a document that is valid otherwise, and one of its operations. Out: the variables that do not fit, and what a
//! `__typename` cannot have.

use async_graphql::{
    Pos,
    registry::{MetaInputValue, MetaType, MetaTypeName, Registry},
};
use async_graphql_parser::{
    Positioned,
    types::{
        BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
        Type,
    },
};
use async_graphql_value::{ConstValue, Name, Value};
use std::collections::HashSet;

/// What is wrong, and where, for every variable of `operation` that does not fit and every `__typename` that has too much.
pub(super) fn misplaced(
    registry: &Registry,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Vec<(String, Pos)> {
    let mut walk = Walk { registry, document, operation, spread: HashSet::new(), found: Vec::new() };
    let root = match operation.ty {
        OperationType::Query => Some(registry.query_type.as_str()),
        OperationType::Mutation => registry.mutation_type.as_deref(),
        OperationType::Subscription => registry.subscription_type.as_deref(),
    };
    walk.directives(&operation.directives);
    walk.set(&operation.selection_set.node, root.and_then(|root| registry.types.get(root)));
    walk.found
}

struct Walk<'d> {
    registry: &'d Registry,
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    /// The fragments that were looked at: they stand on their own type, wherever they are spread.
    spread: HashSet<&'d Name>,
    found: Vec<(String, Pos)>,
}

impl<'d> Walk<'d> {
    fn set(&mut self, set: &'d SelectionSet, on: Option<&'d MetaType>) {
        for item in &set.items {
            self.directives(item.node.directives());
            match &item.node {
                Selection::Field(field) => {
                    if field.node.name.node == "__typename" {
                        self.type_name(&field.node);
                    }
                    let known = on.and_then(|on| on.field_by_name(&field.node.name.node));
                    for (name, value) in &field.node.arguments {
                        let argument = known.and_then(|known| known.args.get(name.node.as_str()));
                        self.argument(argument, &value.node, value.pos);
                    }
                    let inner = known.map(|known| MetaTypeName::concrete_typename(&known.ty));
                    let inner = inner.and_then(|name| self.registry.types.get(name));
                    self.set(&field.node.selection_set.node, inner);
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let condition = condition.map(|condition| condition.node.on.node.as_str());
                    let on = condition.map_or(on, |condition| self.registry.types.get(condition));
                    self.set(&fragment.node.selection_set.node, on);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    if self.spread.insert(name) {
                        let on = self.registry.types.get(fragment.node.type_condition.node.on.node.as_str());
                        self.set(&fragment.node.selection_set.node, on);
                    }
                }
            }
        }
    }

    fn type_name(&mut self, field: &'d Field) {
        if let Some((name, _)) = field.arguments.first() {
            self.found.push((format!("Unknown argument \"{}\" on field \"__typename\"", name.node), name.pos));
        }
        if let Some(item) = field.selection_set.node.items.first() {
            self.found.push(("Field \"__typename\" must not have a selection".to_owned(), item.pos));
        }
        for directive in &field.directives {
            let name = &directive.node.name.node;
            // Those that an operation may have are known by what they decide.
            if !matches!(name.as_str(), "skip" | "include") {
                self.found.push((format!("Unknown directive \"{name}\""), directive.pos));
            } else if directive.node.get_argument("if").is_none() {
                let message = format!("Directive \"@{name}\" argument \"if\" is required but not provided");
                self.found.push((message, directive.pos));
            }
        }
    }

    fn directives(&mut self, directives: &'d [Positioned<Directive>]) {
        for directive in directives {
            let known = self.registry.directives.get(directive.node.name.node.as_str());
            for (name, value) in &directive.node.arguments {
                let argument = known.and_then(|known| known.args.get(name.node.as_str()));
                self.argument(argument, &value.node, value.pos);
            }
        }
    }

    fn argument(&mut self, place: Option<&MetaInputValue>, value: &Value, pos: Pos) {
        if let Some((place, ty)) = place.and_then(|place| Some((place, Type::new(&place.ty)?))) {
            self.value(&ty, place.default_value.is_some(), value, pos);
        }
    }

    fn value(&mut self, place: &Type, has_default: bool, value: &Value, pos: Pos) {
        match (value, &place.base) {
            (Value::Variable(name), _) => self.variable(place, has_default, name, pos),
            (Value::List(items), BaseType::List(item)) => {
                items.iter().for_each(|value| self.value(item, false, value, pos));
            }
            // A single value is a list of one.
            (Value::Object(_), BaseType::List(item)) => self.value(item, false, value, pos),
            (Value::Object(members), BaseType::Named(name)) => {
                let registry = self.registry;
                if let Some(MetaType::InputObject { input_fields, .. }) = registry.types.get(name.as_str()) {
                    for (member, value) in members {
                        self.argument(input_fields.get(member.as_str()), value, pos);
                    }
                }
            }
            _ => {}
        }
    }

    fn variable(&mut self, place: &Type, has_default: bool, name: &Name, pos: Pos) {
        let declared = self.operation.variable_definitions.iter().find(|declared| declared.node.name.node == *name);
        // That it is not declared, another rule says.
        let Some(declared) = declared else { return };
        let (ty, default) = (&declared.node.var_type.node, declared.node.default_value.as_ref());
        let never_null = has_default || default.is_some_and(|default| default.node != ConstValue::Null);
        let fits = if !place.nullable && ty.nullable && never_null {
            fits(ty, &Type { base: place.base.clone(), nullable: true })
        } else {
            fits(ty, place)
        };
        if !fits {
            let message = format!("Variable \"${name}\" of type \"{ty}\" stands where \"{place}\" is asked for");
            self.found.push((message, pos));
        }
    }
}

/// Whether every value of `ty` is one of `place`.
fn fits(ty: &Type, place: &Type) -> bool {
    (place.nullable || !ty.nullable)
        && match (&ty.base, &place.base) {
            (BaseType::Named(ty), BaseType::Named(place)) => ty == place,
            (BaseType::List(ty), BaseType::List(place)) => fits(ty, place),
            _ => false,
        }
}
