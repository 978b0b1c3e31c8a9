//! A real HTTP server for the site that the network serves: the files of a folder.

use axum::{
    http::{header, HeaderValue},
    response::Response,
};
use std::{net::SocketAddr, path::Path};
use tokio::{net::TcpListener, task::JoinHandle};
use tower_http::services::ServeDir;

/// A running origin; it stops when dropped.
pub struct Origin {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Origin {
    /// Serves a folder on a port of the loopback; 0 takes a free one.
    pub async fn start(folder: &Path, port: u16) -> anyhow::Result<Self> {
        anyhow::ensure!(folder.is_dir(), "{} is not a folder", folder.display());
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let files = axum::Router::new()
            .fallback_service(ServeDir::new(folder))
            .layer(axum::middleware::map_response(may_be_kept));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, files).await {
                eprintln!("the origin stopped: {error}");
            }
        });
        Ok(Self { address, task })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Lets gateways and caches keep a file for a minute.
async fn may_be_kept(mut response: Response) -> Response {
    let minute = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(header::CACHE_CONTROL, minute);
    response
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}
