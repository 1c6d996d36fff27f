//! What is answered where no LLM's answer can be: errors in the form of OpenAI's, which clients know how to read.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::{Value, json};

use super::request::Format;

/// An error as a client sees it. No key, no prompt and no address of an upstream is in it.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// OpenAI's class of errors, such as `invalid_request_error`.
    kind: &'static str,
    pub(crate) code: &'static str,
    param: Option<&'static str>,
    message: String,
    retry_after: Option<Duration>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, code: &'static str, message: String) -> Self {
        Self {
            status,
            kind,
            code,
            param: None,
            message,
            retry_after: None,
        }
    }

    /// 400: a request that no LLM could be sent.
    pub(crate) fn invalid(param: Option<&'static str>, message: impl Into<String>) -> Self {
        Self {
            param,
            ..Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_request_error",
                "invalid_request",
                message.into(),
            )
        }
    }

    /// 401.
    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "authentication_error",
            "invalid_api_key",
            "no valid key: send one of this server's keys as `authorization: Bearer KEY`"
                .to_owned(),
        )
    }

    /// 404: a name that is neither an alias nor an LLM.
    pub(crate) fn no_model(name: &str) -> Self {
        let shown: String = name.chars().take(100).collect();
        Self {
            param: Some("model"),
            ..Self::new(
                StatusCode::NOT_FOUND,
                "invalid_request_error",
                "model_not_found",
                format!("there is no model `{shown}`; `GET /v1/models` lists those that there are"),
            )
        }
    }

    /// 404: a path that leads nowhere.
    pub(crate) fn no_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "invalid_request_error",
            "not_found",
            "there is nothing at this path".to_owned(),
        )
    }

    /// 405.
    pub(crate) fn bad_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "invalid_request_error",
            "method_not_allowed",
            "this path takes another method".to_owned(),
        )
    }

    /// 408: a body that did not come.
    pub(crate) fn slow_body() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "invalid_request_error",
            "request_timeout",
            "the body of the request did not arrive in time".to_owned(),
        )
    }

    /// 413.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request_error",
            "request_too_large",
            format!("the body of the request is larger than {limit} bytes"),
        )
    }

    /// 429: too many requests at once, or LLMs that asked to be left alone.
    pub(crate) fn busy(message: &str, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limit_error",
                "rate_limit_exceeded",
                message.to_owned(),
            )
        }
    }

    /// 429: what may be spent has been spent.
    pub(crate) fn cap_reached(message: String, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limit_error",
                "spend_cap_reached",
                message,
            )
        }
    }

    /// Feedback that cannot be taken.
    pub(crate) fn feedback(
        status: StatusCode,
        code: &'static str,
        param: Option<&'static str>,
        message: String,
    ) -> Self {
        Self {
            param,
            ..Self::new(status, "invalid_request_error", code, message)
        }
    }

    /// 502.
    pub(crate) fn upstream(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "upstream_error",
            "upstream_error",
            message.into(),
        )
    }

    /// 503: no LLM can take the request.
    pub(crate) fn no_eligible(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            "no_eligible_model",
            message.into(),
        )
    }

    /// 503: the server is ending, or not yet there.
    pub(crate) fn unavailable(message: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            "unavailable",
            message.to_owned(),
        )
    }

    /// 504.
    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream_error",
            "upstream_timeout",
            message.into(),
        )
    }

    /// The body. Clients of `/v1/messages` look for a `type` beside the error, and find it; the rest is OpenAI's form.
    fn body(&self, format: Format) -> Value {
        let error = json!({
            "message": self.message, "type": self.kind, "param": self.param, "code": self.code
        });
        match format {
            Format::Messages => json!({"type": "error", "error": error}),
            Format::Chat | Format::Responses => json!({"error": error}),
        }
    }

    /// The whole answer.
    pub(crate) fn response(&self, format: Format) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body(format).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(wait) = self.retry_after {
            let ms = wait.as_millis().max(1) as u64;
            headers.insert("retry-after-ms", HeaderValue::from(ms));
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The event that ends a stream which broke after its first byte. OpenAI's clients raise on it; no `[DONE]` follows.
pub(crate) fn error_event(format: Format, code: &str, message: &str) -> String {
    let error = json!({"message": message, "type": "upstream_error", "code": code});
    match format {
        Format::Chat => format!("data: {}\n\n", json!({"error": error})),
        // The official clients of these formats go by the event's name.
        Format::Responses => format!("event: error\ndata: {}\n\n", json!({"error": error})),
        Format::Messages => {
            let data = json!({"type": "error", "error": error});
            format!("event: error\ndata: {data}\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_openais_form_and_say_when_to_come_back() {
        let error = ApiError::busy("too many", Duration::from_millis(1_200));
        let body = error.body(Format::Chat);
        assert_eq!(
            body,
            json!({"error": {"message": "too many", "type": "rate_limit_error", "param": null,
                "code": "rate_limit_exceeded"}})
        );
        let response = error.response(Format::Chat);
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["retry-after-ms"], "1200");
        assert_eq!(error.body(Format::Messages)["type"], "error");
        let long = ApiError::no_model(&"x".repeat(10_000));
        assert!(long.message.len() < 300);
    }
}
