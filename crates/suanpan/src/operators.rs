//! `suanpan operators`: who is let into the console, for whoever has the machine.
//!
//! For the first admin who is locked out, and for scripts: a link is all that it
//! gives, and whoever has it chooses his own password.

use serde::Serialize;
use suanpan_server::audit::{By, Who};
use suanpan_server::people::Role;
use suanpan_server::people::invite::{invite, reset};
use suanpan_server::store::Person;
use suanpan_server::{Error, Seams, World};

use crate::cli::{Operators, OperatorsCommand};
use crate::problem::Problem;
use crate::serve::load;
use crate::talk;

/// Lists, adds or resets.
pub(crate) async fn run(arguments: &Operators) -> Result<(), Problem> {
    let config = load(&arguments.config, arguments.database.as_deref())?;
    let world = World::open(&config, Seams::default()).await;
    let world = world.map_err(|error| Problem::server_setup(&error))?;
    let done = obey(&world, arguments).await;
    world.store().close().await;
    done
}

async fn obey(world: &World, arguments: &Operators) -> Result<(), Problem> {
    let by = By { operator: Who::command_line(), address: "localhost".to_owned() };
    let failed = |error: Error| Problem::server(&error);
    let people = world.store().look((), |tx, ()| Box::pin(tx.operators())).await;
    let people = people.map_err(|error| Problem::store(&error))?;
    match &arguments.command {
        OperatorsCommand::List => list(&people, arguments.json),
        OperatorsCommand::Add { name, role } => {
            let role = role.parse::<Role>().map_err(|error| Problem::usage(error.to_string()))?;
            let link = invite(world, by, name, role).await.map_err(failed)?;
            say_link(name, &link, arguments.json);
        }
        OperatorsCommand::Reset { name } => {
            let Some(person) = people.into_iter().find(|person| person.name == *name) else {
                return Err(Problem::usage(format!("there is no operator {name:?}")));
            };
            let link = reset(world, by, &person.id).await.map_err(failed)?;
            say_link(name, &link, arguments.json);
        }
    }
    Ok(())
}

/// A link, as a machine reads it.
#[derive(Serialize)]
struct NewLink<'a> {
    name: &'a str,
    link: &'a str,
}

fn say_link(name: &str, link: &str, json: bool) {
    if json {
        talk::json(&NewLink { name, link });
    } else {
        talk::out(link);
        talk::err(format_args!(
            "给 {name} 的链接：设置密码并登录，一次有效，24 小时内 / for {name}: choose a password and sign in, once, within a day"
        ));
    }
}

/// Somebody, as a machine reads him.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    role: &'static str,
    disabled: bool,
    has_password: bool,
    has_codes: bool,
}

fn list(people: &[Person], json: bool) {
    let rows: Vec<_> = people
        .iter()
        .map(|person| Row {
            id: &person.id,
            name: &person.name,
            role: person.role.as_str(),
            disabled: person.disabled_at.is_some(),
            has_password: person.has_password,
            has_codes: person.has_totp,
        })
        .collect();
    if json {
        talk::json(&serde_json::json!({ "operators": rows }));
        return;
    }
    for row in &rows {
        let standing = match (row.disabled, row.has_password, row.has_codes) {
            (true, ..) => "停用 disabled",
            (_, false, _) => "没有密码 no password",
            (_, true, false) => "密码 password",
            (_, true, true) => "密码和验证码 password and codes",
        };
        talk::out(format_args!(
            "{}{}{standing}",
            talk::padded(row.name, 20),
            talk::padded(row.role, 10)
        ));
    }
}
