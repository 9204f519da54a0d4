//! PostgreSQL on three machines, with Patroni on each and etcd on a fourth: addresses of the loopback network.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{interval, timeout};

use crate::daemon::{Daemon, children, folder, lives, signal};
use crate::street::PATIENCE;

/// The cluster. What is left of it goes when it is dropped.
pub(crate) struct Cluster {
    http: reqwest::Client,
    machines: Vec<Machine>,
    _etcd: Daemon,
}

/// A machine of the database.
struct Machine {
    name: String,
    address: String,
    folder: PathBuf,
    etcd: String,
    patroni: Option<Daemon>,
}

impl Cluster {
    /// Starts it, and waits until a write is on two machines before it is acknowledged.
    pub(crate) async fn start(base: &Path) -> Self {
        // A network of our own: whoever else runs this has another one.
        let [.., high, low] = std::process::id().to_be_bytes();
        let network = format!("127.{}.{low}", high | 128);
        let etcd = format!("{network}.10:12379");
        let machines = (1..=MACHINES).map(|number| Machine {
            name: format!("db{number}"),
            address: format!("{network}.{number}"),
            folder: folder(base.join(format!("db{number}"))),
            etcd: etcd.clone(),
            patroni: None,
        });
        let http = reqwest::Client::builder().no_proxy().timeout(LOOK).build().unwrap();
        let mut cluster =
            Self { http, machines: machines.collect(), _etcd: start_etcd(base, &network) };
        for machine in &mut cluster.machines {
            machine.start();
        }
        cluster.until_whole().await;
        cluster
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        let hosts = self.machines.iter().map(|machine| format!("{}:{PORT}", machine.address));
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("postgres://suanpan:{PASSWORD}@{hosts}/suanpan?connections=8")
    }

    /// The primary's machine dies: everything on it is gone at once. Answers which one it was.
    pub(crate) async fn kill_primary(&mut self) -> usize {
        let members = self.members().await.expect("a member answers");
        let leader = members.iter().find(|member| member["role"] == "leader").expect("a primary");
        let found = self.machines.iter().position(|machine| leader["name"] == *machine.name);
        self.machines[found.unwrap()].die();
        found.unwrap()
    }

    /// A dead machine is switched on again, as its disk was.
    pub(crate) fn revive(&mut self, machine: usize) {
        self.machines[machine].start();
    }

    /// Waits until all machines are up, and one stands by synchronously.
    pub(crate) async fn until_whole(&self) {
        // Others' processes: there is nothing to wait for but their word.
        let mut ticks = interval(Duration::from_millis(200));
        let whole = async {
            loop {
                ticks.tick().await;
                if self.members().await.is_some_and(|members| is_whole(&members)) {
                    return;
                }
            }
        };
        if timeout(PATIENCE, whole).await.is_err() {
            panic!("the cluster is not whole: {:#?}\n{}", self.members().await, self.logs());
        }
    }

    /// What the members say of each other.
    async fn members(&self) -> Option<Vec<Value>> {
        for machine in self.machines.iter().filter(|machine| machine.patroni.is_some()) {
            let url = format!("http://{}:{REST}/cluster", machine.address);
            let Ok(answer) = self.http.get(url).send().await else { continue };
            let Ok(told) = answer.json::<Value>().await else { continue };
            return told["members"].as_array().cloned();
        }
        None
    }

    /// The last words of each Patroni.
    pub(crate) fn logs(&self) -> String {
        let last = self.machines.iter().map(|machine| {
            let log = std::fs::read_to_string(machine.log()).unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(30).collect();
            format!(
                "{}:\n{}\n",
                machine.name,
                lines.into_iter().rev().collect::<Vec<_>>().join("\n")
            )
        });
        last.collect()
    }
}

impl Machine {
    fn start(&mut self) {
        let ours = std::fs::read_to_string(CONFIG).unwrap();
        // Its last section is `postgresql`. Three servers on one machine do not share a folder for their sockets; and
        // what is killed leaves no shared memory behind.
        let sockets = self.folder.display();
        let config = format!(
            "{ours}  parameters:\n    unix_socket_directories: '{sockets}'\n    \
             dynamic_shared_memory_type: mmap\n"
        );
        let file = self.folder.join("patroni.yaml");
        std::fs::write(&file, config).unwrap();

        let (rest, server) =
            (format!("{}:{REST}", self.address), format!("{}:{PORT}", self.address));
        let mut patroni = Command::new("patroni");
        patroni
            .arg(&file)
            .env("PATRONI_NAME", &self.name)
            .env("PATRONI_ETCD3_HOSTS", &self.etcd)
            .env("PATRONI_RESTAPI_LISTEN", &rest)
            .env("PATRONI_RESTAPI_CONNECT_ADDRESS", rest)
            .env("PATRONI_POSTGRESQL_LISTEN", &server)
            .env("PATRONI_POSTGRESQL_CONNECT_ADDRESS", server)
            .env("PATRONI_POSTGRESQL_DATA_DIR", self.data())
            .env("PATRONI_POSTGRESQL_BIN_DIR", programs())
            .env("PATRONI_POSTGRESQL_PGPASS", self.folder.join("pgpass"))
            .env("PATRONI_SUPERUSER_PASSWORD", PASSWORD)
            .env("PATRONI_REPLICATION_PASSWORD", PASSWORD)
            .env("PATRONI_REWIND_PASSWORD", PASSWORD)
            .env("PATRONI_suanpan_PASSWORD", PASSWORD)
            .env("PATRONI_suanpan_OPTIONS", "createdb");
        self.patroni = Some(Daemon::start(patroni, &self.log()));
    }

    /// Everything on it gets SIGKILL.
    fn die(&mut self) {
        let Some(patroni) = self.patroni.take() else { return };
        let mut all = vec![patroni.id()];
        all.extend(self.server().into_iter().flat_map(|id| [vec![id], children(id)].concat()));
        signal("-KILL", &all);
    }

    fn server(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.patroni.take());
        // SIGQUIT: at once, but it takes its shared memory with it.
        if let Some(server) = self.server().filter(|server| lives(*server)) {
            signal("-QUIT", &[server]);
            while lives(server) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn start_etcd(base: &Path, network: &str) -> Daemon {
    let folder = folder(base.join("etcd"));
    let (clients, peers) =
        (format!("http://{network}.10:12379"), format!("http://{network}.10:12380"));
    let mut etcd = Command::new("etcd");
    etcd.args(["--name", "etcd", "--data-dir"]).arg(folder.join("data"));
    etcd.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    etcd.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    etcd.args(["--initial-cluster", &format!("etcd={peers}")]);
    Daemon::start(etcd, &folder.join("log"))
}

fn is_whole(members: &[Value]) -> bool {
    let count = |role: &str| members.iter().filter(|member| member["role"] == role).count();
    members.len() == MACHINES
        && members.iter().all(|member| member["state"] == "running")
        && (count("leader"), count("sync_standby")) == (1, 1)
}

/// The newest PostgreSQL on this machine, where Debian puts it.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap().flatten();
    let newest = versions.max_by_key(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    newest.unwrap().path().join("bin")
}

const MACHINES: usize = 3;
/// What operators use, too.
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/patroni.yaml");
const PORT: u16 = 15432;
const REST: u16 = 18008;
const PASSWORD: &str = "only-for-this-test";
/// How long a member may take to say how it is.
const LOOK: Duration = Duration::from_secs(2);
