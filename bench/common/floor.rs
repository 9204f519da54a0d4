//! What no code can beat on this machine: RSA signatures and durable writes.

use std::error::Error;

use suanpan_wechat::v3::PrivateKey;

use super::disk::count;
pub(crate) use super::disk::durable_writes_per_second;

type Failure = Box<dyn Error + Send + Sync>;

/// One core, one second, the merchant's own key.
pub(crate) fn rsa_signs_per_second(key: &str) -> Result<u64, Failure> {
    let key = PrivateKey::from_pem(&std::fs::read_to_string(key)?)?;
    Ok(count(|| drop(key.sign(&[7; 400]))))
}
