package bench

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// registerVector lets a connection send vectors in the form in which pgvector receives
// them, which is a third of the text and needs no parsing.
func registerVector(ctx context.Context, conn *pgx.Conn) error {
	var oid uint32
	if err := conn.QueryRow(ctx, "SELECT 'vector'::regtype::oid").Scan(&oid); err != nil {
		return err
	}
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "vector", OID: oid, Codec: pgtype.ByteaCodec{}})
	return nil
}

// binaryVector is what pgvector's vector_recv takes: the dimensions, an unused number, the
// floats, all of them big-endian.
func binaryVector(v []float32) []byte {
	b := make([]byte, 4, 4+4*len(v))
	binary.BigEndian.PutUint16(b, uint16(len(v)))
	for _, f := range v {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}
