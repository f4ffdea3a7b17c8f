//! [`Yuan`]: a face value, as it comes in.

use std::fmt;

use recharge_core::FaceValue;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;

/// Whole yuan, as text or as a JSON number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Yuan(String);

impl PartialSchema for Yuan {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9]+$"));
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1));
        OneOfBuilder::new()
            .item(text)
            .item(number)
            .description(Some(
                "Whole yuan, as text or as a JSON number. It is always answered as text.",
            ))
            .examples(["100"])
            .into()
    }
}

impl ToSchema for Yuan {}

impl Yuan {
    /// As a face value.
    pub fn face_value(&self) -> Result<FaceValue, Problem> {
        let yuan = self.0.parse().ok();
        let value = yuan.and_then(|yuan| FaceValue::from_yuan(yuan).ok());
        value.ok_or_else(|| Problem::field("amount", "write whole yuan, such as \"100\" or 100"))
    }
}

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl de::Visitor<'_> for Either {
            type Value = Yuan;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("whole yuan, such as \"100\" or 100")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Yuan, E> {
                Ok(Yuan(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Yuan, E> {
                Ok(Yuan(number.to_string()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl From<FaceValue> for Yuan {
    fn from(value: FaceValue) -> Self {
        Self(value.yuan().to_string())
    }
}
