//! The memory that passwords are hashed in: a piece for each core, made when it is first needed, and kept.
//!
//! In: a password, a salt, and what Argon2 shall do. Out: the hash. Freed after each hash, a piece of this size would stay
//! with the allocator's arena of the thread that had it, and the blocking pool has many threads: a flood of logins would
//! leave hundreds of megabytes behind.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{Argon2, Block, password_hash::phc::Output};

use crate::error::{Error, Result};

/// Pieces of memory that nobody uses at the moment: as many as hashes have been made at once.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Vec<Vec<Block>>>);

impl Memory {
    /// The hash of a password, `length` bytes long.
    pub(super) fn hash(&self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8], length: usize) -> Result<Output> {
        let mut blocks = self.pieces().pop().unwrap_or_default();
        blocks.resize(argon2.params().block_count(), Block::new());
        let mut buffer = [0; Output::MAX_LENGTH];
        let hashed = buffer
            .get_mut(..length)
            .ok_or_else(|| Error::internal("a hash that is longer than hashes are"))
            .and_then(|out| {
                let hashed = argon2.hash_password_into_with_memory(password, salt, out, blocks.as_mut_slice());
                hashed.map_err(|error| Error::internal(error.to_string()))?;
                Output::new(out).map_err(|error| Error::internal(error.to_string()))
            });
        self.pieces().push(blocks);
        hashed
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.pieces().len()
    }

    fn pieces(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        // A list of pieces is whole between its calls, whatever became of the thread that held it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
