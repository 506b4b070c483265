//! Coerced values as trees: their structure decides the plan, and their leaves are bound.
//!
//! In: the trees of a request's variables. Out: their shape, by which plans are kept, and their leaves, by which a kept
//! plan is run again.

use crate::engine::bind::Argument;
use async_graphql_value::Name;
use std::collections::HashMap;

/// A coerced value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// Null.
    Null,
    /// A value that is bound, or decides the plan by what it is.
    Leaf(Leaf),
    /// A list of objects.
    List(Vec<Tree>),
    /// An input object.
    Object(Vec<(String, Tree)>),
}

/// A value without structure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    /// What it is.
    pub value: Argument,
    /// Whether the plan depends on what it is: enum members and booleans.
    pub decides: bool,
    /// Where it is found again when the document is run with other variables.
    pub origin: Origin,
}

/// Where a leaf comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Origin {
    /// The document itself.
    Literal,
    /// The leaf with this number among those of the variables.
    Variable(usize),
    /// A literal list with variables among its items.
    List(Vec<Leaf>),
}

/// Variables by their names.
pub(super) type Variables = HashMap<Name, Tree>;

/// Numbers the leaves of a variable that are bound, behind those of the variables before it.
pub(super) fn number(tree: &mut Tree, next: &mut usize) {
    match tree {
        Tree::Null => {}
        Tree::Leaf(leaf) => {
            leaf.origin = Origin::Variable(*next);
            *next += 1;
        }
        Tree::List(items) => items.iter_mut().for_each(|item| number(item, next)),
        Tree::Object(members) => members.iter_mut().for_each(|(_, member)| number(member, next)),
    }
}

/// Writes the shape of a variable: what of it decides the plan.
pub(super) fn write_shape(tree: &Tree, shape: &mut Vec<u8>) {
    match tree {
        Tree::Null => shape.push(b'n'),
        Tree::Leaf(leaf) => {
            shape.push(b'v');
            if leaf.decides {
                describe(&leaf.value, shape);
            }
        }
        Tree::List(items) => {
            shape.push(b'[');
            items.iter().for_each(|item| write_shape(item, shape));
            shape.push(b']');
        }
        Tree::Object(members) => {
            shape.push(b'{');
            for (name, member) in members {
                shape.extend_from_slice(name.as_bytes());
                shape.push(b':');
                write_shape(member, shape);
            }
            shape.push(b'}');
        }
    }
}

/// Takes the leaves of a variable, in their numbers' order.
pub(super) fn take_leaves(tree: Tree, leaves: &mut Vec<Argument>) {
    match tree {
        Tree::Null => {}
        Tree::Leaf(leaf) => leaves.push(leaf.value),
        Tree::List(items) => items.into_iter().for_each(|item| take_leaves(item, leaves)),
        Tree::Object(members) => members.into_iter().for_each(|(_, member)| take_leaves(member, leaves)),
    }
}

/// Writes what a deciding leaf is.
pub(super) fn describe(value: &Argument, shape: &mut Vec<u8>) {
    match value {
        Argument::Bool(value) => shape.push(if *value { b't' } else { b'f' }),
        Argument::Number(text) | Argument::String(text) | Argument::Text(text) | Argument::Json(text) => {
            shape.extend_from_slice(text.as_bytes());
            shape.push(b';');
        }
        Argument::List(items) => {
            shape.push(b'[');
            items.iter().for_each(|item| describe(item, shape));
            shape.push(b']');
        }
        Argument::Null => shape.push(b'?'),
    }
}
