//! A process that is measured.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::usage;

/// How long it may take to listen.
const START: Duration = Duration::from_secs(30);

/// It ends when this is dropped, and when this process does.
#[derive(Debug)]
pub(crate) struct Process {
    shell: Child,
    id: u32,
}

impl Process {
    /// Starts `command`, and waits until it listens at `address`.
    pub(crate) fn start(
        command: &[OsString],
        environment: &[(&str, &str)],
        address: SocketAddr,
    ) -> Self {
        // The shell ends it when its own input ends, which is a pipe from this process.
        let script = "\"$@\" < /dev/null > /dev/null & echo $!; read -r _; \
                      kill -9 $! 2> /dev/null; wait";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, "sh"]).args(command);
        shell.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().expect("a shell");
        let mut id = String::new();
        let output = shell.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut id).expect("a line");
        let process = Self { shell, id: id.trim().parse().expect("a process") };
        let until = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            // One that has ended, and that the shell has not yet been told of, has no program.
            let program = fs::read_link(format!("/proc/{}/exe", process.id));
            assert!(program.is_ok(), "it has ended: {command:?}");
            assert!(Instant::now() < until, "it does not listen after {START:?}: {command:?}");
            thread::sleep(Duration::from_millis(10));
        }
        process
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage(self.id)
    }

    /// Asks it to end, as from a keyboard, and waits until it has.
    pub(crate) async fn interrupt(self) {
        let id = self.id.to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "it has ended by itself");
        let until = Instant::now() + START;
        while fs::read_link(format!("/proc/{id}/exe")).is_ok() {
            assert!(Instant::now() < until, "it does not end within {START:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage(u32);

impl Usage {
    /// Of this process.
    pub(crate) fn own() -> Self {
        Self(std::process::id())
    }

    /// Processor time so far, of its threads, user and system.
    pub(crate) fn cpu(self) -> Duration {
        usage::cpu(self.0)
    }

    /// The most memory since [`forget_peak`](Self::forget_peak), in bytes.
    pub(crate) fn peak_bytes(self) -> u64 {
        usage::peak_bytes(self.0)
    }

    /// The most memory is from now on what it has now (`proc(5)`, `clear_refs`).
    pub(crate) fn forget_peak(self) {
        fs::write(format!("/proc/{}/clear_refs", self.0), "5").expect("a process of this user");
    }
}

/// A port that was free a moment ago: who does not get it any more says so.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("a port")
}
