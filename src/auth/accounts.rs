//! What the database says now of a token's subject: its role, and whether it may still sign in.
//!
//! In: the subject of a verified token. Out: its standing, remembered for [`MEMORY`], so that a demotion or a shut-out
//! takes effect within five seconds on every instance and an ordinary request still costs no query.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use uuid::Uuid;

use super::users;
use crate::{engine::database::Database, error::Result};

/// How long an answer is believed: below the five seconds that are promised, by what a slow query may take.
pub const MEMORY: Duration = Duration::from_secs(4);

/// How many subjects are remembered.
const SUBJECTS: usize = 10_000;

/// What the database said, and when it was asked.
#[derive(Clone)]
struct Known {
    asked: Instant,
    role: Option<String>,
}

/// The standing of subjects, in bounded memory.
pub struct Accounts {
    database: Database,
    known: Cache<Uuid, Known>,
}

impl Accounts {
    /// Nobody is known yet.
    pub fn new(database: Database) -> Self {
        Self { database, known: Cache::new(SUBJECTS) }
    }

    /// The role in which `subject` may act; none for one who is not there or has been shut out.
    pub async fn role(&self, subject: Uuid) -> Result<Option<String>> {
        if let Some(known) = self.known.get(&subject).filter(|known| known.asked.elapsed() < MEMORY) {
            return Ok(known.role);
        }
        // The time before the question: the answer may be as old as that.
        let asked = Instant::now();
        let user = users::by_id(&self.database, subject).await?;
        let role = user.filter(|user| !user.disabled).map(|user| user.role);
        self.known.insert(subject, Known { asked, role: role.clone() });
        Ok(role)
    }

    /// Asks again at the next request of `subject`, on this instance.
    pub fn forget(&self, subject: Uuid) {
        self.known.remove(&subject);
    }
}
