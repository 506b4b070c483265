//! Cursors and node ids: opaque texts that say where a row stands.
//!
//! A cursor is the values of the order's columns, the key last, with a fingerprint of the resource and the order, in
//! base64url. So it works for any order, and one of another list is told from a good one.

use super::{database::Row, query::Sort};
use crate::{
    catalog::{
        Catalog, Resource,
        scalar::{Scalar, Style, Value},
    },
    error::{Error, Result},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::value::RawValue;

/// How to write the cursor of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct CursorProgram {
    /// What tells this list's cursors from others.
    pub fingerprint: u32,
    /// Where the order's columns are in the row, and their types.
    pub columns: Vec<(usize, Scalar)>,
}

impl CursorProgram {
    /// Writes the cursor of `row` as a JSON string.
    pub(crate) fn write<R: Row>(&self, row: &R, out: &mut Vec<u8>) -> Result<()> {
        let mut plain = Vec::with_capacity(96);
        plain.push(b'[');
        plain.extend_from_slice(itoa::Buffer::new().format(self.fingerprint).as_bytes());
        for (index, scalar) in &self.columns {
            plain.push(b',');
            scalar.write(row.cell(*index)?, Style::Rest, &mut plain)?;
        }
        plain.push(b']');
        write_encoded(&plain, out);
        Ok(())
    }

    /// The cursor of `row` as a text.
    pub(crate) fn text<R: Row>(&self, row: &R) -> Result<String> {
        let mut json = Vec::with_capacity(96);
        self.write(row, &mut json)?;
        let text = String::from_utf8(json).map_err(Error::internal)?;
        Ok(text.trim_matches('"').to_owned())
    }
}

fn write_encoded(plain: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut encoded = String::with_capacity(plain.len().div_ceil(3) * 4);
    BASE64_URL_SAFE_NO_PAD.encode_string(plain, &mut encoded);
    out.extend_from_slice(encoded.as_bytes());
    out.push(b'"');
}

/// What tells the cursors of this list and order from all others: FNV-1a over their names, so that it is the same in
/// every process.
pub fn fingerprint(resource: &Resource, order: &[Sort]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    let mut mix = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    };
    mix(resource.name.as_bytes());
    for sort in order {
        mix(&[0, u8::from(sort.descending), u8::from(sort.nulls_first)]);
        mix(sort.expression.name.as_bytes());
    }
    hash
}

fn foreign() -> Error {
    Error::bad_request("The cursor is not one of this list in this order")
        .hint("Take cursors from a page of the same list, and keep its order")
}

fn decode(text: &str) -> Result<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| foreign())
}

/// Which values of a cursor are NULL, a bit each: which statement continues behind it.
///
/// # Errors
/// A text that is no cursor.
pub fn nulls(text: &str) -> Result<u32> {
    let plain = decode(text)?;
    let values: Vec<&RawValue> = serde_json::from_slice(&plain).map_err(|_| foreign())?;
    if !(2..=32).contains(&values.len()) {
        return Err(foreign());
    }
    let bits = values.iter().skip(1).enumerate();
    Ok(bits.fold(0, |bits, (index, value)| bits | (u32::from(value.get() == "null") << index)))
}

/// The values of a cursor into a list of `resource` in `order`.
///
/// # Errors
/// A text that is no cursor, or one of another list or order.
pub fn values(text: &str, resource: &Resource, order: &[Sort]) -> Result<Vec<Value>> {
    let plain = decode(text)?;
    let values: Vec<&RawValue> = serde_json::from_slice(&plain).map_err(|_| foreign())?;
    let (mark, values) = values.split_first().ok_or_else(foreign)?;
    if values.len() != order.len() || mark.get().parse() != Ok(fingerprint(resource, order)) {
        return Err(foreign());
    }
    let value = |(sort, value): (&Sort, &&RawValue)| match sort.expression.scalar.read_json(value.get()) {
        // No row stands where what is never NULL is NULL.
        Ok(Value::Null) if !sort.expression.nullable => Err(foreign()),
        value => value.map_err(|_| foreign()),
    };
    order.iter().zip(values).map(value).collect()
}

/// Writes the global id of the row of `resource` whose key is written in `key`, as a JSON string.
pub(crate) fn write_node_id(resource: &str, key: &[u8], out: &mut Vec<u8>) {
    let mut plain = Vec::with_capacity(resource.len() + 1 + key.len());
    plain.extend_from_slice(resource.as_bytes());
    plain.push(b':');
    plain.extend(key.iter().filter(|byte| **byte != b'"'));
    write_encoded(&plain, out);
}

/// The resource's index and the key's text of a global id; none for a text that is no id of anything.
pub fn parse_node_id(catalog: &Catalog, id: &str) -> Option<(usize, String)> {
    let plain = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let (resource, key) = plain.split_once(':')?;
    Some((catalog.position(resource)?, key.to_owned()))
}
