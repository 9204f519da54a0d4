//! Passwords: what is taken as one, how it is kept, how it is compared.
//!
//! Argon2id with the parameters that OWASP names (19 MiB, two passes, one
//! lane), beside the tasks that serve payments and only a few at a time: a
//! hash takes memory and a core, and whoever asks need not know anything.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::{OnceCell, Semaphore};

use super::Refusal;
use crate::Error;
use crate::outside::Dice;

/// Hashes passwords, a few at a time.
#[derive(Debug)]
pub struct Passwords {
    /// Those that are at work.
    running: Arc<Semaphore>,
    /// Those that may be here at all.
    places: Arc<Semaphore>,
    /// The hash of a password that nobody has: compared with where there is none, so that it takes as long.
    nobody: OnceCell<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(RUNNING)),
            places: Arc::new(Semaphore::new(PLACES)),
            nobody: OnceCell::new(),
        }
    }
}

impl Passwords {
    /// The hash to keep, as a PHC string.
    ///
    /// # Errors
    /// [`Refusal::WeakPassword`], and [`Error::Busy`] where too many wait.
    pub async fn hash(&self, dice: &dyn Dice, name: &str, password: &str) -> Result<String, Error> {
        if !is_strong(name, password) {
            return Err(Refusal::WeakPassword.into());
        }
        self.hashed(dice, password).await
    }

    /// Whether it is the password with this hash. Takes as long where there is none.
    ///
    /// # Errors
    /// [`Error::Busy`] where too many wait.
    pub async fn is_right(
        &self,
        dice: &dyn Dice,
        hash: Option<&str>,
        password: &str,
    ) -> Result<bool, Error> {
        // Longer than any that was taken.
        let password = if LONGEST < password.len() { "" } else { password };
        // Made for a known name, too: the first who asks must not learn by the time whether his name is one.
        let nobody = || async { self.hashed(dice, &dice.secret("")).await };
        let nobody = self.nobody.get_or_try_init(nobody).await?;
        let known = hash.unwrap_or(nobody).to_owned();
        let password = password.to_owned();
        let same = self.work(move || {
            let parsed = PasswordHash::new(&known).ok()?;
            Argon2::default().verify_password(password.as_bytes(), &parsed).ok()
        });
        Ok(same.await?.is_some() && hash.is_some())
    }

    async fn hashed(&self, dice: &dyn Dice, password: &str) -> Result<String, Error> {
        let mut salt = [0; 16];
        dice.fill(&mut salt);
        let password = password.to_owned();
        let hash = self.work(move || {
            let hash: PasswordHash =
                Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).ok()?;
            Some(hash.to_string())
        });
        hash.await?.ok_or(Error::Broken)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        // The work goes on when whoever asked has gone, and is counted until its end.
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Error::Broken)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|_| Error::Broken)
    }
}

/// Long, not the name, and not one letter again and again.
fn is_strong(name: &str, password: &str) -> bool {
    let letters: std::collections::BTreeSet<char> = password.chars().collect();
    let says_name = password.to_lowercase().contains(&name.to_lowercase());
    SHORTEST <= password.chars().count()
        && password.len() <= LONGEST
        && FEWEST_LETTERS <= letters.len()
        && !says_name
}

/// In characters.
const SHORTEST: usize = 12;
/// In bytes: nobody is to have us hash a book.
const LONGEST: usize = 256;
const FEWEST_LETTERS: usize = 5;
const RUNNING: usize = 2;
const PLACES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::SeededDice;

    #[test]
    fn a_password_is_long_and_not_the_name() {
        let check = |password: &str, want: bool| {
            assert_eq!(is_strong("lan", password), want, "{password:?}");
        };
        check("correct horse battery", true);
        check("湖心亭里喝一杯明前龙井茶好", true);
        check("short", false);
        check("12345678901", false);
        check("aaaaaaaaaaaaaaaa", false);
        check("my name is Lan, really", false);
        check(&"tea house ".repeat(40), false);
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_no_other() {
        let (passwords, dice) = (Passwords::default(), SeededDice::new(1));
        let hash = passwords.hash(&dice, "lan", "correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let again = passwords.hash(&dice, "lan", "correct horse battery").await.unwrap();
        assert_ne!(hash, again);
        for (password, want) in
            [("correct horse battery", true), ("correct horse batterY", false), ("", false)]
        {
            assert_eq!(passwords.is_right(&dice, Some(&hash), password).await.unwrap(), want);
        }
        assert!(!passwords.is_right(&dice, None, "correct horse battery").await.unwrap());
    }

    #[tokio::test]
    async fn a_crowd_at_the_door_is_sent_away_and_not_let_wait() {
        let (passwords, dice) = (Arc::new(Passwords::default()), Arc::new(SeededDice::new(1)));
        let crowd = (0..40).map(|_| {
            let (passwords, dice) = (Arc::clone(&passwords), Arc::clone(&dice));
            async move { passwords.is_right(&*dice, None, "knock knock knock").await.is_err() }
        });
        let sent_away = futures_util::future::join_all(crowd).await;
        assert!(sent_away.contains(&true) && sent_away.contains(&false), "{sent_away:?}");
        // And then there is room again.
        assert!(passwords.is_right(&*dice, None, "knock").await.is_ok());
    }
}
