package dev.gameanalytics.avro;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericEnumSymbol;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/**
 * What Avro values are as the columns of a table. The schema that wrote a record says how to read it; of what is read,
 * each column takes what has its name and can be of its type, and is NULL otherwise. So a schema may evolve in ways
 * that Avro's own resolution refuses, such as from int to long, or with other names of records.
 */
final class AvroColumns {

    /** No decimal of Flink has more digits, and no decimal of so many has more bytes. */
    private static final int MOST_DIGITS = 38;
    private static final int MOST_DECIMAL_BYTES = 16;

    private AvroColumns() {}

    /**
     * The part of a writer's schema that columns of these types are made of, all else of which Avro skips; null when
     * there is none, or when a record of few bytes could keep a reader busy forever.
     */
    static Schema usedPart(Schema writer, RowType type) {
        return hasEmptyItems(writer, Collections.newSetFromMap(new IdentityHashMap<>())) ? null : part(writer, type);
    }

    private static Schema part(Schema schema, LogicalType type) {
        if (schema.isUnion()) {
            List<Schema> branches = schema.getTypes().stream()
                    .map(branch -> part(branch, type))
                    .filter(branch -> branch != null)
                    .toList();
            return branches.isEmpty() ? null : Schema.createUnion(branches);
        }
        return switch (schema.getType()) {
            case RECORD -> type instanceof RowType row ? recordPart(schema, row) : null;
            case ARRAY -> {
                Schema items = type instanceof ArrayType array ? part(schema.getElementType(), array.getElementType()) : null;
                yield items == null ? null : Schema.createArray(items);
            }
            case MAP -> {
                Schema values = type instanceof MapType map ? part(schema.getValueType(), map.getValueType()) : null;
                yield values == null ? null : Schema.createMap(values);
            }
            default -> schema;
        };
    }

    private static Schema recordPart(Schema schema, RowType type) {
        List<Schema.Field> fields = new ArrayList<>();
        for (RowType.RowField column : type.getFields()) {
            Schema.Field field = schema.getField(column.getName());
            Schema part = field == null ? null : part(field.schema(), column.getType());
            if (part != null) fields.add(new Schema.Field(field.name(), part));
        }
        return Schema.createRecord(schema.getName(), null, schema.getNamespace(), false, fields);
    }

    /** Whether there is an array somewhere whose items take no bytes: any number of them fits into a record. */
    private static boolean hasEmptyItems(Schema schema, Set<Schema> seen) {
        if (!seen.add(schema)) return false;
        return switch (schema.getType()) {
            case ARRAY -> isEmpty(schema.getElementType()) || hasEmptyItems(schema.getElementType(), seen);
            case MAP -> hasEmptyItems(schema.getValueType(), seen);
            case UNION -> schema.getTypes().stream().anyMatch(branch -> hasEmptyItems(branch, seen));
            case RECORD -> schema.getFields().stream().anyMatch(field -> hasEmptyItems(field.schema(), seen));
            default -> false;
        };
    }

    private static boolean isEmpty(Schema schema) {
        return switch (schema.getType()) {
            case NULL -> true;
            case FIXED -> schema.getFixedSize() == 0;
            case RECORD -> schema.getFields().stream().allMatch(field -> isEmpty(field.schema()));
            default -> false;
        };
    }

    /** The row of a record; null when it is none. */
    static RowData toRow(Object value, RowType type) {
        if (!(value instanceof IndexedRecord record)) return null;
        GenericRowData row = new GenericRowData(type.getFieldCount());
        for (int i = 0; i < type.getFieldCount(); i++) {
            Schema.Field field = record.getSchema().getField(type.getFieldNames().get(i));
            if (field != null) row.setField(i, toColumn(record.get(field.pos()), field.schema(), type.getTypeAt(i)));
        }
        return row;
    }

    private static Object toColumn(Object value, Schema declared, LogicalType type) {
        if (value == null) return null;
        Schema schema = declared.isUnion()
                ? declared.getTypes().get(GenericData.get().resolveUnion(declared, value))
                : declared;
        return switch (type.getTypeRoot()) {
            case CHAR, VARCHAR -> toText(value);
            case BOOLEAN -> value instanceof Boolean ? value : null;
            case BINARY, VARBINARY -> toBytes(value);
            case TINYINT, SMALLINT, INTEGER, BIGINT -> toInteger(toNumber(value, schema), type.getTypeRoot());
            case FLOAT, DOUBLE -> toFloat(toNumber(value, schema), type.getTypeRoot());
            case DECIMAL -> toDecimal(toNumber(value, schema), (DecimalType) type);
            case DATE -> schema.getLogicalType() instanceof LogicalTypes.Date ? value : null;
            case TIME_WITHOUT_TIME_ZONE -> toTime(value, schema.getLogicalType());
            case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE ->
                    toTimestamp(value, schema.getLogicalType(), LogicalTypeChecks.getPrecision(type));
            case ROW -> toRow(value, (RowType) type);
            case ARRAY -> toArray(value, schema, (ArrayType) type);
            case MAP -> toMap(value, schema, (MapType) type);
            default -> null;
        };
    }

    /** By way of a Java string, in which bytes that are no UTF-8 become marks: Flink's functions would fail on them. */
    private static StringData toText(Object value) {
        boolean isText = value instanceof CharSequence
                || value instanceof GenericEnumSymbol
                || value instanceof Number
                || value instanceof Boolean;
        return isText ? StringData.fromString(value.toString()) : null;
    }

    private static byte[] toBytes(Object value) {
        if (value instanceof GenericFixed fixed) return fixed.bytes();
        if (!(value instanceof ByteBuffer buffer)) return null;
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** A number as it was written, a decimal with its own scale. Times are the numbers that stand for them. */
    private static Number toNumber(Object value, Schema schema) {
        if (value instanceof Number number) return number;
        if (!(schema.getLogicalType() instanceof LogicalTypes.Decimal decimal)) return null;
        byte[] bytes = toBytes(value);
        boolean isDecimal = bytes != null
                && bytes.length > 0
                && bytes.length <= MOST_DECIMAL_BYTES
                && decimal.getScale() <= MOST_DIGITS;
        return isDecimal ? new BigDecimal(new BigInteger(bytes), decimal.getScale()) : null;
    }

    /** A number without its decimals; null when it is beyond the type. */
    private static Object toInteger(Number value, LogicalTypeRoot type) {
        Long whole = toLong(value);
        if (whole == null) return null;
        return switch (type) {
            case TINYINT -> whole == whole.byteValue() ? whole.byteValue() : null;
            case SMALLINT -> whole == whole.shortValue() ? whole.shortValue() : null;
            case INTEGER -> whole == whole.intValue() ? whole.intValue() : null;
            default -> whole;
        };
    }

    private static Long toLong(Number value) {
        if (value == null || value instanceof Long) return (Long) value;
        if (value instanceof Integer) return value.longValue();
        BigDecimal number = toBigDecimal(value);
        BigInteger whole = number == null ? null : number.toBigInteger();
        return whole != null && whole.bitLength() < Long.SIZE ? whole.longValue() : null;
    }

    private static Object toFloat(Number value, LogicalTypeRoot type) {
        if (value == null) return null;
        return type == LogicalTypeRoot.FLOAT ? (Object) value.floatValue() : (Object) value.doubleValue();
    }

    private static BigDecimal toBigDecimal(Number number) {
        if (number == null || number instanceof BigDecimal) return (BigDecimal) number;
        if (number instanceof Integer || number instanceof Long) return BigDecimal.valueOf(number.longValue());
        return Double.isFinite(number.doubleValue()) ? new BigDecimal(number.toString()) : null;
    }

    private static DecimalData toDecimal(Number value, DecimalType type) {
        BigDecimal number = toBigDecimal(value);
        return number == null ? null : DecimalData.fromBigDecimal(number, type.getPrecision(), type.getScale());
    }

    private static Integer toTime(Object value, org.apache.avro.LogicalType logicalType) {
        if (logicalType instanceof LogicalTypes.TimeMillis) return (Integer) value;
        return logicalType instanceof LogicalTypes.TimeMicros ? (int) ((Long) value / 1_000) : null;
    }

    private static TimestampData toTimestamp(Object value, org.apache.avro.LogicalType logicalType, int precision) {
        TimestampData time = value instanceof Long units ? toTimestamp(units, logicalType) : null;
        return time == null || precision > 3 ? time : TimestampData.fromEpochMillis(time.getMillisecond());
    }

    private static TimestampData toTimestamp(long time, org.apache.avro.LogicalType logicalType) {
        if (logicalType instanceof LogicalTypes.TimestampMillis || logicalType instanceof LogicalTypes.LocalTimestampMillis)
            return TimestampData.fromEpochMillis(time);
        if (logicalType instanceof LogicalTypes.TimestampMicros || logicalType instanceof LogicalTypes.LocalTimestampMicros)
            return timestamp(time, 1_000);
        if (logicalType instanceof LogicalTypes.TimestampNanos || logicalType instanceof LogicalTypes.LocalTimestampNanos)
            return timestamp(time, 1_000_000);
        return null;
    }

    private static TimestampData timestamp(long time, int unitsInMilli) {
        int nanos = (int) Math.floorMod(time, (long) unitsInMilli) * (1_000_000 / unitsInMilli);
        return TimestampData.fromEpochMillis(Math.floorDiv(time, (long) unitsInMilli), nanos);
    }

    private static GenericArrayData toArray(Object value, Schema schema, ArrayType type) {
        if (!(value instanceof Collection<?> items)) return null;
        return new GenericArrayData(items.stream()
                .map(item -> toColumn(item, schema.getElementType(), type.getElementType()))
                .toArray());
    }

    private static GenericMapData toMap(Object value, Schema schema, MapType type) {
        if (!(value instanceof Map<?, ?> entries) || !type.getKeyType().is(LogicalTypeFamily.CHARACTER_STRING)) return null;
        Map<Object, Object> map = new HashMap<>();
        entries.forEach((key, item) -> map.put(toText(key), toColumn(item, schema.getValueType(), type.getValueType())));
        return new GenericMapData(map);
    }
}
