use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The user of every cluster.
const USER: &str = "carrot";
/// What no output may hold.
const PASSWORD: &str = "open-sesame-7";
/// The user `nobody`, as whom Postgres runs where the tests run as root.
const NOBODY: u32 = 65534;
const PATIENCE: Duration = Duration::from_secs(30);

/// A Postgres with pgvector on this machine (`scripts/postgres.sh`), run by someone without rights. It is killed when dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// The password that its addresses hold.
    pub const PASSWORD: &str = PASSWORD;

    /// Starts a new, empty cluster. Its user has to give a password.
    pub fn start() -> Self {
        let this = Self::in_new_folder();
        let password = this.folder.path().join("password");
        fs::write(&password, PASSWORD).expect("written");
        give(&password);
        let init = this
            .program("initdb")
            .args([
                "--username",
                USER,
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
            ])
            .args(["--locale", "C", "--no-sync", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(this.data())
            .output();
        let init = init.expect("initdb runs");
        assert!(
            init.status.success(),
            "{}",
            String::from_utf8_lossy(&init.stderr)
        );
        this.started()
    }

    /// Starts a copy that follows this one, and answers reads.
    pub fn replica(&self) -> Self {
        let replica = Self::in_new_folder();
        let copy = replica
            .program("pg_basebackup")
            .args([
                "--write-recovery-conf",
                "--no-sync",
                "--checkpoint",
                "fast",
                "--dbname",
            ])
            .arg(self.url())
            .arg("--pgdata")
            .arg(replica.data())
            .output();
        let copy = copy.expect("pg_basebackup runs");
        assert!(
            copy.status.success(),
            "{}",
            String::from_utf8_lossy(&copy.stderr)
        );
        replica.started()
    }

    /// Its address, password and all.
    pub fn url(&self) -> String {
        format!(
            "postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres",
            self.port
        )
    }

    /// The address of this one and replicas of it.
    pub fn url_with(&self, replicas: &[&Self]) -> String {
        let ports = [self].into_iter().chain(replicas.iter().copied());
        let hosts: Vec<String> = ports.map(|it| format!("127.0.0.1:{}", it.port)).collect();
        format!("postgres://{USER}:{PASSWORD}@{}/postgres", hosts.join(","))
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as `kill -9` does, in the middle of whatever it does.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("killed");
            server.wait().expect("ended");
        }
        // Its children notice, and a new one cannot start before they have.
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            assert!(start.elapsed() < PATIENCE, "it still listens");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again, with what it had committed.
    pub fn start_again(&mut self) {
        assert!(self.server.is_none(), "it was killed");
        let start = Instant::now();
        while !self.try_start() {
            // Children of the one that was killed may still hold its memory.
            assert!(start.elapsed() < PATIENCE, "it does not start");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn in_new_folder() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        give(folder.path());
        // Free now; whoever takes it meanwhile fails the test by name.
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        Self {
            folder,
            port,
            server: None,
        }
    }

    fn started(mut self) -> Self {
        assert!(self.try_start(), "Postgres does not start");
        self
    }

    fn try_start(&mut self) -> bool {
        let port = self.port.to_string();
        let mut server = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &port, "-c", "listen_addresses=127.0.0.1"])
            .args([
                "-c",
                "unix_socket_directories=",
                "-c",
                "fsync=off",
                "-c",
                "wal_level=replica",
            ])
            .args(["-c", "shared_buffers=128MB", "-c", "max_connections=60"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("postgres runs");
        let log = server.stderr.take().expect("it is a pipe");
        let mut lines = BufReader::new(log).lines();
        let is_ready = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("is ready to accept"));
        // What it says later must be read, or it would wait for someone to do so.
        thread::spawn(move || lines.for_each(drop));
        match is_ready {
            true => self.server = Some(server),
            false => _ = server.wait(),
        }
        is_ready
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the install, run by someone without rights.
    fn program(&self, name: &str) -> Command {
        let program = install().join("bin").join(name);
        assert!(
            program.is_file(),
            "`{}` is missing; run scripts/postgres.sh",
            program.display()
        );
        let mut command = match is_root(self.folder.path()) {
            true => {
                let mut command = Command::new("setpriv");
                let nobody = NOBODY.to_string();
                command
                    .args([
                        "--reuid",
                        &nobody,
                        "--regid",
                        &nobody,
                        "--clear-groups",
                        "--",
                    ])
                    .arg(program);
                command
            }
            false => Command::new(program),
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            _ = server.kill();
            _ = server.wait();
        }
    }
}

fn install() -> PathBuf {
    env::var_os("CARROT_POSTGRES_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.postgres"),
        PathBuf::from,
    )
}

/// Whether the tests run as root, by what they own.
fn is_root(folder: &Path) -> bool {
    let owner = folder.metadata().expect("it exists").uid();
    owner == 0 || owner == NOBODY
}

/// Gives a file to whom Postgres runs as.
fn give(path: &Path) {
    if is_root(path) {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("root can");
    }
}
