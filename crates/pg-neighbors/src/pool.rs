//! Connections to one database, so many at a time, each with its settings.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_postgres::{Client, Statement};

use crate::{Error, IndexAddress, Result, error::plain, tls::MakeTls};

/// Connections that are opened when they are needed and kept.
pub(crate) struct Pool {
    address: IndexAddress,
    tls: MakeTls,
    /// What a connection is told first.
    setup: String,
    timeout: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
}

/// A connection with what it has prepared.
pub(crate) struct Session {
    pub(crate) client: Client,
    /// By their text.
    pub(crate) statements: HashMap<String, Statement>,
}

/// A connection that is in use. It is kept afterwards by [`Lent::keep`], and closed else: an unfinished answer may still be coming.
pub(crate) struct Lent {
    pub(crate) session: Session,
    _permit: OwnedSemaphorePermit,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(crate) fn new(
        address: &IndexAddress,
        setup: String,
        timeout: Duration,
        n_connections: usize,
    ) -> Result<Self> {
        let mut address = address.clone();
        if address.config.get_connect_timeout().is_none() {
            // Of each host, so that the next replica is tried while there is time.
            let n_hosts = address.config.get_hosts().len().max(1) as u32;
            address.config.connect_timeout(timeout / n_hosts);
        }
        let tls = match address.config.get_ssl_mode() {
            tokio_postgres::config::SslMode::Disable => MakeTls::unused(),
            _ => MakeTls::trusting(address.root_certificates.as_deref())?,
        };
        Ok(Self {
            address,
            tls,
            setup,
            timeout,
            permits: Arc::new(Semaphore::new(n_connections.max(1))),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// The database, to be shown.
    pub(crate) fn database(&self) -> &str {
        self.address.shown()
    }

    /// A connection: an idle one, or a new one to the first host that answers. Waits while all are in use.
    pub(crate) async fn get(&self) -> Result<Lent> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = self.in_time("have a free connection", permit).await?;
        let permit = permit.expect("the semaphore is never closed");
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            // What a server closed meanwhile is gone.
            idle.retain(|session| !session.client.is_closed());
            idle.pop()
        };
        let session = match idle {
            Some(session) => session,
            None => Session {
                client: self.connect().await?,
                statements: HashMap::new(),
            },
        };
        Ok(Lent {
            session,
            _permit: permit,
        })
    }

    /// Gives a connection back whose answers have all come.
    pub(crate) fn keep(&self, lent: Lent) {
        if !lent.session.client.is_closed() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(lent.session);
        }
    }

    /// A connection of its own, not counted among the others.
    pub(crate) async fn connect(&self) -> Result<Client> {
        let failed = |error| Error::Connect {
            database: self.database().to_owned(),
            source: plain(error),
        };
        let connect = self.address.config.connect(self.tls.clone());
        let (client, connection) = self.in_time("connect", connect).await?.map_err(failed)?;
        let database = self.database().to_owned();
        tokio::spawn(async move {
            // Whoever uses the client hears of it, too.
            if let Err(error) = connection.await {
                tracing::debug!("the connection to {database} ended: {}", plain(error));
            }
        });
        let setup = client.batch_execute(&self.setup);
        self.in_time("take its settings", setup)
            .await?
            .map_err(Error::database(self.database(), "take its settings"))?;
        Ok(client)
    }

    /// Waits for something as long as an answer may take.
    pub(crate) async fn in_time<F: Future>(
        &self,
        what: &'static str,
        work: F,
    ) -> Result<F::Output> {
        timeout(self.timeout, work)
            .await
            .map_err(|_| Error::TimedOut {
                database: self.database().to_owned(),
                what,
                timeout: self.timeout,
            })
    }
}
