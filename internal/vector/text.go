package vector

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Text returns a vector as PostgreSQL's type vector reads and writes it, such as [1,0.5]. The
// numbers have the fewest digits that give the same float32.
func Text(v []float32) string {
	text := make([]byte, 0, 2+12*len(v))
	text = append(text, '[')
	for i, f := range v {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendFloat(text, float64(f), 'g', -1, 32)
	}
	return string(append(text, ']'))
}

// ParseText reads what PostgreSQL writes for a vector. Text without brackets, without a number
// and with a number that no vector has are errors.
func ParseText(text string) ([]float32, error) {
	if len(text) < 2 || text[0] != '[' || text[len(text)-1] != ']' {
		return nil, errors.New("text without brackets")
	}
	text = text[1 : len(text)-1]
	v := make([]float32, 0, 1+strings.Count(text, ","))
	for number := range strings.SplitSeq(text, ",") {
		f, err := strconv.ParseFloat(number, 32)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%q is not a number of a vector", number)
		}
		v = append(v, float32(f))
	}
	return v, nil
}
