//! The drop-in protocols as the description has them: what is sent, and that every answer is an envelope. What the
//! envelopes hold is the upstreams' documents' to say.

use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    Content, ContentBuilder, ObjectBuilder, Paths, Required, ResponseBuilder, Type,
};

use super::{jisu, juhe};
use crate::problem::{Code, described};

/// Every path, called either way.
pub(crate) fn paths() -> Paths {
    let mut paths = Paths::new();
    for call in juhe::Call::ALL {
        add(
            &mut paths,
            call.path(),
            "juhe",
            call.fields(),
            juhe_envelope(),
        );
    }
    for call in jisu::Call::all() {
        add(
            &mut paths,
            call.path(),
            "jisu",
            call.fields(),
            jisu_envelope(),
        );
    }
    paths
}

fn add(paths: &mut Paths, path: &str, upstream: &str, fields: &[&str], envelope: ObjectBuilder) {
    let envelope = ContentBuilder::new().schema(Some(envelope.build())).build();
    let name = path.trim_start_matches("/compat/").replace('/', "_");
    let get = operation(upstream, &name, "get", envelope.clone());
    let get = fields.iter().fold(get, |get, field| {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let parameter = ParameterBuilder::new()
            .name(*field)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .schema(Some(text));
        get.parameter(parameter.build())
    });
    let form = fields.iter().fold(ObjectBuilder::new(), |form, field| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        form.property(*field, text)
    });
    let form = Content::new(Some(form.build()));
    let body = RequestBodyBuilder::new()
        .content("application/x-www-form-urlencoded", form.clone())
        .content("multipart/form-data", form)
        .build();
    let post = operation(upstream, &name, "post", envelope).request_body(Some(body));
    let (get, post): (Operation, Operation) = (get.build(), post.build());
    paths.add_path_operation(path, vec![HttpMethod::Get], get);
    paths.add_path_operation(path, vec![HttpMethod::Post], post);
}

fn operation(upstream: &str, name: &str, method: &str, envelope: Content) -> OperationBuilder {
    let whose = if upstream == "juhe" { "Juhe" } else { "Jisu" };
    let answer = ResponseBuilder::new()
        .description("Every answer, refusals included, in the upstream's own form")
        .content("application/json", envelope);
    let mut operation = OperationBuilder::new()
        .tag("compat")
        .operation_id(Some(format!("compat_{name}_{method}")))
        .summary(Some(format!("As {whose}'s own call")))
        .description(Some(
            "For a program that was written for the original. Repeated fields and others than these are \
             handled as docs/migration.md says.",
        ))
        .response("200", answer);
    for (status, problem) in described(&[Code::Malformed, Code::TooLarge]) {
        operation = operation.response(status, problem);
    }
    operation
}

/// `error_code` is a number, `result` whatever the call has.
fn juhe_envelope() -> ObjectBuilder {
    ObjectBuilder::new()
        .property("reason", ObjectBuilder::new().schema_type(Type::String))
        .property(
            "error_code",
            ObjectBuilder::new().schema_type(Type::Integer),
        )
        .required("reason")
        .required("error_code")
}

fn jisu_envelope() -> ObjectBuilder {
    ObjectBuilder::new()
        .property("msg", ObjectBuilder::new().schema_type(Type::String))
        .required("status")
        .required("msg")
}
