package testserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// adminToken keeps the administrator's token for a while: it lives for a minute.
type adminToken struct {
	mu    sync.Mutex
	text  string
	taken time.Time
}

// Call makes one call of the admin REST API with all rights. The path follows the server's address: /admin/realms/… The
// body is sent as JSON unless it is nil, and the answer read into the last argument unless that is nil. Any status but a
// 2xx is an error with the server's words.
func (s *KeycloakServer) Call(method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), keycloakPatience)
	defer cancel()
	token, err := s.adminToken(ctx)
	if err != nil {
		return err
	}
	_, err = s.call(ctx, method, path, token, body, into)
	return err
}

func (s *KeycloakServer) call(ctx context.Context, method, path, token string, body, into any) (http.Header, error) {
	var content io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case url.Values:
		content, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode > 299 {
		return nil, &KeycloakError{Call: method + " " + path, Status: response.StatusCode, Text: string(text)}
	}
	if into == nil {
		return response.Header, nil
	}
	return response.Header, json.Unmarshal(text, into)
}

// KeycloakError is an answer of the server that is no success.
type KeycloakError struct {
	Call   string
	Status int
	Text   string // the body
}

// Error gives all of it.
func (e *KeycloakError) Error() string {
	return fmt.Sprintf("keycloak: %s: HTTP %d: %s", e.Call, e.Status, e.Text)
}

// adminToken signs the administrator in, at most twice a minute.
func (s *KeycloakServer) adminToken(ctx context.Context) (string, error) {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	if time.Since(s.tokens.taken) < 30*time.Second {
		return s.tokens.text, nil
	}
	var got struct {
		Token string `json:"access_token"`
	}
	_, err := s.call(ctx, http.MethodPost, "/realms/master/protocol/openid-connect/token", "", url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {s.Admin}, "password": {s.AdminPassword},
	}, &got)
	if err != nil {
		return "", err
	}
	s.tokens.text, s.tokens.taken = got.Token, time.Now()
	return got.Token, nil
}

// answers succeeds when the server is ready, and it is ours and no stranger on the same port.
func (s *KeycloakServer) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.health, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("keycloak is not ready: HTTP %d", response.StatusCode)
	}
	s.tokens.mu.Lock()
	s.tokens.taken = time.Time{} // of the server before a restart
	s.tokens.mu.Unlock()
	_, err = s.adminToken(ctx)
	return err
}
