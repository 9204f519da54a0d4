//! The backend as its callers see it.

use serde_json::Value;

/// The way to a backend, which may be gone at any moment.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// Asks once. `None`: no answer came, or one that says to ask again.
    fn once(
        &self,
        kind: &'static str,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> impl Future<Output = Option<Value>> + Send;

    /// Looks something up.
    fn look(&self, path: &str) -> impl Future<Output = Value> + Send;

    /// A webhook came, and is not answered yet.
    fn heard(&self) -> impl Future<Output = ()> + Send;

    /// Asks until there is an answer, always in the same words.
    fn ask(
        &self,
        kind: &'static str,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> impl Future<Output = Value> + Send {
        async move {
            loop {
                if let Some(answer) = self.once(kind, path, key, body).await {
                    return answer;
                }
            }
        }
    }

    /// All that this list holds, newest first.
    fn list(&self, path: &str) -> impl Future<Output = Vec<Value>> + Send {
        async move {
            let (mut all, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = self.look(&format!("{path}?limit=20{cursor}")).await;
                all.extend(page["data"].as_array().unwrap().iter().cloned());
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => return all,
                }
            }
        }
    }
}
