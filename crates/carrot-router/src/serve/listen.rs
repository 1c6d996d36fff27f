//! Connections: how many, how long their heads may take, and how they end.

use std::{convert::Infallible, future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use axum::{Router, body::Body};
use futures_util::future::{Either, select};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tower_service::Service as _;
use tracing::{debug, info, warn};

use super::config::LimitsConfig;

/// After the signal to end, idle connections stay open so long: whoever has just sent a request into one is answered, and told to close it.
const LINGER: Duration = Duration::from_millis(300);
/// After a connection could not be taken, as when the process has too many files open.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes connections until `stop` says true, and then waits for the requests in flight. Whether all of them ended in time.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: LimitsConfig,
    mut stop: watch::Receiver<bool>,
) -> bool {
    let n_connections = limits.max_connections;
    let places = Arc::new(Semaphore::new(n_connections));
    let closing = watch::Sender::new(false);
    let mut ends_at = None;
    loop {
        let taken = pin!(take(&listener, &places));
        let end = pin!(ending(&mut stop, ends_at));
        let (stream, place) = match select(taken, end).await {
            Either::Left((taken, _)) => taken,
            Either::Right(((), _)) if ends_at.is_none() => {
                // New connections are still taken for a moment: they were made before anyone could know.
                ends_at = Some(tokio::time::Instant::now() + LINGER);
                continue;
            }
            Either::Right(((), _)) => break,
        };
        let connection = connection(
            stream,
            routes.clone(),
            limits.head_seconds,
            closing.subscribe(),
        );
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    closing.send_replace(true);
    let n_open = n_connections - places.available_permits();
    info!("ending: {n_open} connections are open");
    let all = u32::try_from(n_connections).unwrap_or(u32::MAX);
    let ended = timeout(limits.drain_seconds, places.acquire_many(all)).await;
    if ended.is_err() {
        let n_open = n_connections - places.available_permits();
        warn!(
            "{n_open} connections were still open after the time that `limits.drain-seconds` gives them"
        );
    }
    ended.is_ok()
}

/// The signal to end, and then the moment to.
async fn ending(stop: &mut watch::Receiver<bool>, at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        // Without a sender nobody will say so.
        None => match stop.wait_for(|stop| *stop).await {
            Ok(_) => {}
            Err(_) => std::future::pending().await,
        },
    }
}

async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let place = Arc::clone(places).acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                debug!("a connection could not be taken: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    routes: Router,
    head: Duration,
    mut closing: watch::Receiver<bool>,
) {
    // An event must not wait for the next one.
    _ = stream.set_nodelay(true);
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let mut routes = routes.clone();
        async move {
            let answer = poll_fn(|context| {
                <Router as tower_service::Service<hyper::Request<Body>>>::poll_ready(
                    &mut routes,
                    context,
                )
            });
            _ = answer.await;
            let Ok(response) = routes.call(request.map(Body::new)).await;
            Ok::<_, Infallible>(response)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        // What a client gets that closes its half of the connection: nobody waits for an answer any more.
        .half_close(false)
        .serve_connection(TokioIo::new(stream), answer);
    let mut served = pin!(served);
    let mut is_closing = false;
    let mut told = pin!(async move {
        _ = closing.wait_for(|closing| *closing).await;
    });
    poll_fn(|context| {
        if !is_closing && told.as_mut().poll(context).is_ready() {
            is_closing = true;
            served.as_mut().graceful_shutdown();
        }
        match served.as_mut().poll(context) {
            Poll::Ready(result) => {
                if let Err(error) = result {
                    debug!("a connection ended: {error}");
                }
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
}
