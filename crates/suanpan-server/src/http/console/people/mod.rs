//! The pages about people: the door, one's own page, the settings, refunds that need two.

mod door;
pub(super) mod me;
pub(super) mod request;
pub(super) mod set_up;
pub(super) mod settings;
pub(super) mod sign_in;
pub(super) mod words;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};

use self::door::Door;
use crate::world::World;

/// Their addresses.
pub(super) fn routes(world: &World) -> Router<Arc<World>> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/set-up", get(set_up::form).post(set_up::set_up))
        .route("/me", get(me::me))
        .route("/me/password", post(me::change_password))
        .route("/me/totp", post(me::totp_start))
        .route("/me/totp/confirm", post(me::totp_confirm))
        .route("/me/totp/remove", post(me::totp_remove))
        .route("/me/sign-out-everywhere", post(me::sign_out_everywhere))
        .route("/refunds/requests/{id}", get(request::request))
        .route("/refunds/requests/{id}/approve", post(request::approve))
        .route("/refunds/requests/{id}/decline", post(request::decline))
        .route("/settings", get(settings::settings))
        .route("/settings/operators", post(settings::invite))
        .route("/settings/operators/{id}", get(settings::operator))
        .route("/settings/operators/{id}/role", post(settings::role))
        .route("/settings/operators/{id}/reset", post(settings::reset))
        .route("/settings/operators/{id}/disable", post(settings::disable))
        .route("/settings/operators/{id}/enable", post(settings::enable))
        .route("/settings/keys", post(settings::new_key))
        .route("/settings/keys/{id}/revoke", post(settings::revoke_key))
        .layer(Extension(Arc::new(Door::new(Arc::clone(&world.clock)))))
}
