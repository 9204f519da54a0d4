//! [`Val`] on PostgreSQL's wire.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::super::Val;

type Result<T> = std::result::Result<T, Box<dyn Error + Sync + Send>>;

impl ToSql for Val {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *kind == Type::INT8 => value.to_sql(kind, out),
            Self::Int(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Self::Text(text) if <&str as ToSql>::accepts(kind) => text.as_str().to_sql(kind, out),
            Self::Blob(bytes) if *kind == Type::BYTEA => bytes.as_slice().to_sql(kind, out),
            Self::Int(_) | Self::Text(_) | Self::Blob(_) => {
                Err(format!("{self:?} is given where {kind} is wanted").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        // Which value fits which type is known only with the value.
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Val {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self> {
        match *kind {
            Type::INT8 => i64::from_sql(kind, raw).map(Self::Int),
            Type::INT4 => i32::from_sql(kind, raw).map(|value| Self::Int(value.into())),
            Type::BYTEA => Ok(Self::Blob(raw.to_vec())),
            _ if <&str as FromSql<'_>>::accepts(kind) => {
                <&str as FromSql<'_>>::from_sql(kind, raw).map(|text| Self::Text(text.to_owned()))
            }
            _ => Err(format!("no column of ours is {kind}").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
